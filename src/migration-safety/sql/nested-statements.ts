import { parsePlPgSQLSync } from 'libpg-query';
import { parseStatements, type Statement, type Tree } from './statements.ts';

/** The statements that a DO block or the body of a function runs. */
export interface Body {
  statements: Statement[];
  /** SQL that is put together while it runs, as written; what it does is known only then. */
  dynamic: string[];
}

/** What a DO block runs, parsed; undefined if the statement is none, or not in a language that can be read. */
export function bodyOf({ kind, sql }: Statement): Body | undefined {
  return kind === 'DoStmt' ? readPlPgSql(sql) : undefined;
}

/** The body of a function from its definition, as pg_get_functiondef() returns it. */
export function bodyOfFunction(definition: string): Body {
  const [{ kind, tree } = { kind: '', tree: {} }] = parseStatements(definition);
  const option = (name: string): Tree => tree.options?.find((each: Tree) => each.DefElem.defname === name)?.DefElem.arg;
  if (kind !== 'CreateFunctionStmt') return { statements: [], dynamic: [definition] };
  if (tree.sql_body) return { statements: inSqlBody(tree.sql_body, definition), dynamic: [] };
  if (option('language')?.String.sval !== 'sql') return readPlPgSql(definition);
  const text = option('as')?.List.items[0].String.sval;
  return text ? { statements: parseStatements(text), dynamic: [] } : { statements: [], dynamic: [definition] };
}

/** The statements of `begin atomic … end`. */
function inSqlBody(node: Tree, sql: string): Statement[] {
  if (node?.List) return node.List.items.flatMap((each: Tree) => inSqlBody(each, sql));
  return Object.entries(node ?? {}).map(([kind, tree]) => ({ sql, kind, tree }));
}

function readPlPgSql(sql: string): Body {
  const body: Body = { statements: [], dynamic: [] };
  try {
    collect(parsePlPgSQLSync(sql), body);
  } catch {
    // Another language, or a syntax error.
    body.dynamic.push(sql);
  }
  return body;
}

function collect(node: Tree, body: Body): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries<Tree>(node)) {
    const dynamic = key === 'PLpgSQL_stmt_dynexecute' || key === 'PLpgSQL_stmt_dynfors';
    if (dynamic) readDynamic(value.query.PLpgSQL_expr.query, body);
    else if (key === 'PLpgSQL_expr' && value.parseMode === 0) body.statements.push(...parseStatements(value.query));
    else collect(value, body);
    if (dynamic) for (const [name, child] of Object.entries(value)) if (name !== 'query') collect(child, body);
  }
}

/** A constant is SQL like any other. */
function readDynamic(expression: string, body: Body): void {
  const [{ tree } = { tree: {} }] = parseStatements(`select ${expression}`);
  const constant = tree.targetList?.[0]?.ResTarget.val.A_Const?.sval?.sval;
  if (constant) body.statements.push(...parseStatements(constant));
  else body.dynamic.push(expression);
}
