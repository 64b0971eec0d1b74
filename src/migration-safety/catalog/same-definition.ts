import { parseStatements, type Tree } from '../sql/statements.ts';
import { asReadAgain, type Definition } from './definitions.ts';

type Defined = Definition & { kind: string };

/**
 * Whether two objects are defined alike. PostgreSQL may print a condition in other words once the printed form was run:
 * `a between 1 and 5 and b` gets other parentheses. So expressions are compared as PostgreSQL's grammar reads them.
 */
export function sameDefinition(a: Defined, b: Defined): boolean {
  if (a.definition === b.definition) return true;
  const invalid = (object: Defined) => object.definition.endsWith(' INVALID');
  return a.kind === b.kind && HAS_CONDITION.has(a.kind) && invalid(a) === invalid(b) && readAs(a) === readAs(b);
}

const HAS_CONDITION = new Set(['view', 'constraint', 'index', 'policy', 'trigger']);

function readAs({ create }: Definition): string {
  const trees = create
    .map(asReadAgain)
    .flatMap(parseStatements)
    .map(({ kind, sql, tree }) => (kind ? flatten(tree) : sql));
  return JSON.stringify(trees);
}

const POSITION = /(^|_)(location|list_start|list_end)$/;

/** The tree without positions in the text, and with `(a and b) and c` as `a and b and c`. */
function flatten(node: Tree): Tree {
  if (Array.isArray(node)) return node.map(flatten);
  if (node === null || typeof node !== 'object') return node;
  const { BoolExpr: operation } = node;
  if (operation?.args && operation.boolop !== 'NOT_EXPR') {
    const args = operation.args
      .map(flatten)
      .flatMap((each: Tree) => (each.BoolExpr?.boolop === operation.boolop ? each.BoolExpr.args : [each]));
    return { BoolExpr: { boolop: operation.boolop, args } };
  }
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) => (POSITION.test(key) ? [] : [[key, flatten(value)]])),
  );
}
