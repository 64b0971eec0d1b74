import { codeOf } from '../sql/nested-statements.ts';
import { hasOption, type Statement, type Tree } from '../sql/statements.ts';

/** A statement that the rules look at: one of the migration, or one that runs inside of it. */
export interface LintedStatement extends Statement {
  /** Where it stands if it is not a statement of the migration itself: 'in a DO block'. */
  within?: string;
}

/** The functions and procedures that earlier statements define, by name. */
export type Routines = Map<string, Statement>;

/**
 * The statements, each followed by those that it runs: in a WITH query, in a DO block, in a function that it calls.
 * CREATE FUNCTION itself runs nothing; of its body only syntax errors count. What a trigger runs is not followed.
 */
export function withNested(statements: readonly Statement[], routines: Routines = new Map()): LintedStatement[] {
  return statements.flatMap((statement) => [statement, ...nestedIn(statement, routines, new Set())]);
}

/** The calls of functions and procedures that happen when the statement runs. */
export const callsIn = once(({ kind, tree }: Statement): Tree[] => [
  ...(kind === 'CallStmt' ? [tree.funccall] : []),
  ...(RUNS_CALLS.has(kind) ? nodes(tree, 'FuncCall') : []),
]);

/** The name of a function without its schema. */
export const routineName = (names: Tree[] | undefined): string => names?.at(-1)?.String?.sval ?? '';

/** The nodes of this type in a tree, outermost first. */
export const nodes = (tree: Tree, type: string): Tree[] => nodesOf(tree, [type]).map(({ node }) => node);

function nodesOf(tree: Tree, types: string[]): { type: string; node: Tree }[] {
  if (tree === null || typeof tree !== 'object') return [];
  return Object.entries(tree).flatMap(([type, node]) => [
    ...(types.includes(type) ? [{ type, node }] : []),
    ...nodesOf(node, types),
  ]);
}

/** The statements whose function calls happen now; in a view, a default or a check they happen later. */
const RUNS_CALLS = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CallStmt',
  'CreateTableAsStmt',
  'CopyStmt',
  'ExplainStmt',
  'DeclareCursorStmt',
]);

/** A function that is called more than once, or calls itself, is followed once. */
function nestedIn(statement: Statement, routines: Routines, followed: Set<string>): LintedStatement[] {
  const { kind, tree } = statement;
  const body = bodyOf(statement);
  if (kind === 'CreateFunctionStmt') {
    const name = routineName(tree.funcname);
    routines.set(name, statement);
    return body.filter(({ syntaxError }) => syntaxError).map((each) => ({ ...each, within: `in function "${name}"` }));
  }
  const inside = (statements: LintedStatement[], within: string) =>
    statements.flatMap((each) => [{ ...each, within }, ...nestedIn(each, routines, followed)]);
  const called = callsIn(statement).flatMap(({ funcname }) => {
    const name = routineName(funcname);
    const routine = routines.get(name);
    if (!routine || followed.has(name)) return [];
    followed.add(name);
    return inside(bodyOf(routine), `in function "${name}", which the migration calls`);
  });
  return [...partsOf(statement), ...inside(body, 'in a DO block'), ...called];
}

/** The statements that are parts of this one: a WITH query, an explained or prepared statement, a table of a schema. */
const partsOf = once(({ kind, tree, sql }: Statement): LintedStatement[] => {
  if (kind === 'RuleStmt' || (kind === 'ExplainStmt' && !hasOption(tree.options, 'analyze'))) return [];
  const isSchema = kind === 'CreateSchemaStmt';
  return nodesOf(tree, PARTS).map(({ type, node }) => ({
    sql,
    kind: type,
    tree: isSchema ? { ...node, relation: { schemaname: tree.schemaname, ...node.relation } } : node,
    within: isSchema ? 'in create schema' : 'in a part of this statement',
  }));
});

const PARTS = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CreateStmt', 'IndexStmt'];

/** The statements of a function or DO block. */
const bodyOf = once(codeOf);

/** Keeps the result for each statement: those of earlier migrations are looked at for every migration after them. */
function once<T>(read: (statement: Statement) => T): (statement: Statement) => T {
  const results = new WeakMap<Statement, T>();
  return (statement) => {
    const result = results.get(statement) ?? read(statement);
    results.set(statement, result);
    return result;
  };
}
