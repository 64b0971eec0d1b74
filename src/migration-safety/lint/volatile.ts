import type { Statement, Tree } from '../sql/statements.ts';
import { nodes, type Routines, routineName } from './nested-statements.ts';

/**
 * Whether the expression may have another value for each row. If not, PostgreSQL stores its value once for all existing
 * rows of an added column. A function that is neither listed nor defined by a migration may be volatile.
 */
export const isVolatile = (expression: Tree, routines: Routines): boolean =>
  nodes(expression, 'FuncCall').some(({ funcname }) => {
    const name = routineName(funcname);
    return !(routines.has(name) ? isDeclaredSteady(routines.get(name)) : STEADY_FUNCTIONS.has(name));
  });

const isDeclaredSteady = (routine: Statement | undefined): boolean =>
  routine?.tree.options?.some(
    ({ DefElem: { defname, arg } }: Tree) => defname === 'volatility' && arg.String.sval !== 'volatile',
  ) ?? false;

/** The immutable and stable functions of PostgreSQL that make sense in a default. */
const STEADY_FUNCTIONS = new Set(
  `now transaction_timestamp statement_timestamp current_setting current_schema current_database version timezone
  date_part date_trunc date_bin extract age make_date make_time make_timestamp make_timestamptz make_interval to_char
  to_date to_number to_timestamp justify_interval lower upper initcap concat concat_ws format repeat replace reverse
  translate left right lpad rpad trim btrim ltrim rtrim substr substring split_part overlay length char_length md5
  sha224 sha256 sha384 sha512 encode decode convert_to convert_from quote_ident quote_literal chr ascii abs ceil ceiling
  floor round trunc sign mod power pow sqrt exp ln log greatest least array_append array_prepend array_cat array_fill
  array_remove array_length cardinality string_to_array array_to_string to_json to_jsonb json_build_object
  jsonb_build_object json_build_array jsonb_build_array jsonb_set json_object jsonb_object int4range int8range numrange
  daterange tsrange tstzrange int4multirange int8multirange nummultirange datemultirange tsmultirange tstzmultirange
  lower_inc upper_inc point box circle line lseg path polygon host network masklen text to_tsvector to_tsquery
  plainto_tsquery enum_first enum_last xmlcomment numeric int4 int8 float8 bool date time timestamp timestamptz interval
  varchar bpchar`.split(/\s+/),
);
