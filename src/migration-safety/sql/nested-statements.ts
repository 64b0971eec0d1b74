import { type CodeStatement, plpgsqlStatements, unread } from './plpgsql-body.ts';
import { parseStatements, type Statement, type Tree } from './statements.ts';

/** The statements that a DO block runs, or a function when it is called. */
export function codeOf({ kind, tree, sql }: Statement): CodeStatement[] {
  if (kind !== 'DoStmt' && kind !== 'CreateFunctionStmt') return [];
  if (tree.sql_body) return atomicBody(tree.sql_body, sql);
  const option = (name: string) =>
    (tree.args ?? tree.options)?.find((each: Tree) => each.DefElem?.defname === name)?.DefElem.arg;
  const language = option('language')?.String?.sval ?? (kind === 'DoStmt' ? 'plpgsql' : 'sql');
  const body = option('as');
  const text: string = body?.String?.sval ?? body?.List?.items[0]?.String?.sval ?? '';
  if (language === 'plpgsql') return plpgsqlStatements(sql);
  if (language === 'sql') return parseStatements(text);
  return ['c', 'internal'].includes(language) ? [] : [unread(sql)];
}

/** BEGIN ATOMIC … END is a list of statements, parsed with the function; RETURN is an expression. */
const atomicBody = (body: Tree, sql: string): Statement[] =>
  (body.List?.items ?? [{ List: { items: [body] } }])
    .flatMap((each: Tree) => each.List?.items ?? [each])
    .flatMap((each: Tree) => Object.entries(each))
    .map(([kind, tree]: [string, Tree]) => ({ sql, kind: kind === 'ReturnStmt' ? 'SelectStmt' : kind, tree }));
