import type { Tree } from '../sql/statements.ts';

/** Whether a condition is missing or holds for every row: `true`, `1 = 1`, `id = id`, `id is not null` of a key. */
export const selectsEverything = (where: Tree | undefined, isRequired: (column: string) => boolean): boolean =>
  where === undefined || constantOf(where, isRequired) === true;

/** Whether a condition says that a column is not null: alone, or as one of several joined by `and`. */
export const impliesNotNull = (condition: Tree, column: string): boolean =>
  conjuncts(condition).some(
    ({ NullTest }) => NullTest?.nulltesttype === 'IS_NOT_NULL' && columnName(NullTest.arg) === column,
  );

/** The column of an update that sets null where the column is null, as create writes it in place of a value. */
export function placeholderColumn({ targetList, whereClause }: Tree): string | undefined {
  if (targetList?.length !== 1 || !whereClause) return undefined;
  const { name, val } = targetList[0].ResTarget;
  const isNull = (val.TypeCast?.arg ?? val).A_Const?.isnull === true;
  const selected = conjuncts(whereClause).some(
    ({ NullTest }) => NullTest?.nulltesttype === 'IS_NULL' && columnName(NullTest.arg) === name,
  );
  return isNull && selected ? name : undefined;
}

/** The name of a column, without its table. */
export const columnName = (expression: Tree): string | undefined => expression?.ColumnRef?.fields?.at(-1)?.String?.sval;

const conjuncts = (condition: Tree): Tree[] =>
  condition?.BoolExpr?.boolop === 'AND_EXPR' ? condition.BoolExpr.args.flatMap(conjuncts) : [condition ?? {}];

type Value = string | number | boolean | null;

/** The value that a condition has for every row, or undefined if it depends on the row. */
function constantOf(expression: Tree, isRequired: (column: string) => boolean): Value | undefined {
  const [type = '', node] = Object.entries(expression)[0] ?? [];
  return VALUES[type]?.(node, (each) => constantOf(each, isRequired), isRequired);
}

type Evaluate = (
  node: Tree,
  value: (expression: Tree) => Value | undefined,
  isRequired: IsRequired,
) => Value | undefined;
type IsRequired = (column: string) => boolean;

const VALUES: Record<string, Evaluate> = {
  A_Const: ({ isnull, boolval, ival, fval, sval }) => {
    if (isnull) return null;
    if (boolval) return boolval.boolval ?? false;
    if (ival) return ival.ival ?? 0;
    return fval ? Number(fval.fval) : sval?.sval;
  },
  TypeCast: ({ arg, typeName }, value) => {
    const inner = value(arg);
    if (typeName.names.at(-1).String.sval !== 'bool' || typeof inner === 'boolean') return inner;
    return inner === undefined ? undefined : /^(t|true|y|yes|on|1)$/i.test(String(inner));
  },
  BoolExpr: ({ boolop, args }, value) => {
    const values = args.map(value);
    if (boolop === 'NOT_EXPR') return typeof values[0] === 'boolean' ? !values[0] : undefined;
    const decisive = boolop === 'OR_EXPR';
    if (values.includes(decisive) || (decisive && asksBoth(args))) return decisive;
    return values.every((each: Value | undefined) => each === !decisive) ? !decisive : undefined;
  },
  A_Expr: ({ kind, name, lexpr, rexpr }, value) => {
    const left = value(lexpr ?? {});
    if (kind === 'AEXPR_IN') return left !== undefined && rexpr.List.items.map(value).includes(left) ? true : undefined;
    if (kind !== 'AEXPR_OP' || !lexpr) return undefined;
    const operator: string = name[0].String.sval;
    // True for every row but those where it is null.
    if (/^([<>]?=)$/.test(operator) && lexpr.ColumnRef && sameText(lexpr, rexpr)) return true;
    const right = value(rexpr);
    if (left === undefined || right === undefined || left === null || right === null) return undefined;
    return COMPARISONS[operator]?.(left, right);
  },
  NullTest: ({ arg, nulltesttype }, value, isRequired) => {
    const known = value(arg);
    const required = isRequired(columnName(arg) ?? '');
    if (known === undefined && !required) return undefined;
    return (nulltesttype === 'IS_NULL') === (known === null);
  },
  BooleanTest: ({ arg, booltesttype }, value) => {
    const known = value(arg);
    return known === undefined ? undefined : TESTS[booltesttype]?.(known);
  },
  SubLink: ({ subLinkType, subselect: { SelectStmt: select } }) =>
    subLinkType === 'EXISTS_SUBLINK' && !select.fromClause && !select.whereClause && !select.op?.includes('INTERSECT')
      ? true
      : undefined,
};

const COMPARISONS: Record<string, (a: NonNullable<Value>, b: NonNullable<Value>) => boolean> = {
  '=': (a, b) => a === b,
  '<>': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

const TESTS: Record<string, (value: Value) => boolean> = {
  IS_TRUE: (value) => value === true,
  IS_NOT_TRUE: (value) => value !== true,
  IS_FALSE: (value) => value === false,
  IS_NOT_FALSE: (value) => value !== false,
  IS_UNKNOWN: (value) => value === null,
  IS_NOT_UNKNOWN: (value) => value !== null,
};

/** `a is null or a is not null`. */
const asksBoth = (args: Tree[]): boolean =>
  args.some(({ NullTest: one }) =>
    args.some(({ NullTest: two }) => one && two && one.nulltesttype !== two.nulltesttype && sameText(one.arg, two.arg)),
  );

const sameText = (a: Tree, b: Tree): boolean => withoutLocations(a) === withoutLocations(b);

const withoutLocations = (tree: Tree): string =>
  JSON.stringify(tree, (key, value) => (key === 'location' ? undefined : value));
