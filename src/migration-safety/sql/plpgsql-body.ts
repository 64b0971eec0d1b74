import { parsePlPgSQLSync, parseSync } from 'libpg-query';
import { parseStatements, type Statement, type Tree } from './statements.ts';

/** The kind of a statement whose SQL is known only when it runs, or that the parser does not read. */
export const UNREAD_CODE = 'UnreadCode';

/** A statement that code runs. */
export interface CodeStatement extends Statement {
  /** What the code composes it of while it runs, if that is not constant. */
  composedOf?: string;
}

/**
 * The SQL statements in the body of a DO block or CREATE FUNCTION in PL/pgSQL. Of EXECUTE the constant parts are known,
 * so that the kind of statement usually is.
 */
export function plpgsqlStatements(sql: string): CodeStatement[] {
  try {
    return statementsIn(parsePlPgSQLSync(sql));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The parser knows no tables and rejects fields of a row variable. What it calls a syntax error is one.
    if (/^syntax error/.test(message)) return [{ sql, kind: '', tree: {}, syntaxError: { message, position: -1 } }];
    return [unread(sql)];
  }
}

/** Walks through the tree of PL/pgSQL in the order of the text. */
function statementsIn(node: Tree, parent = ''): CodeStatement[] {
  if (node === null || typeof node !== 'object') return [];
  return Object.entries(node).flatMap(([key, value]: [string, Tree]): CodeStatement[] => {
    if (key === 'PLpgSQL_stmt_commit' || key === 'PLpgSQL_stmt_rollback')
      return [{ sql: key.slice('PLpgSQL_stmt_'.length), kind: 'TransactionStmt', tree: {} }];
    const isDynamic = key === 'dynquery' || (key === 'query' && /_dyn(execute|fors)$/.test(parent));
    if (value?.PLpgSQL_expr) return isDynamic ? dynamicSql(value.PLpgSQL_expr) : staticSql(value.PLpgSQL_expr);
    if (key === 'PLpgSQL_expr') return staticSql(value);
    return statementsIn(value, key.startsWith('PLpgSQL_') ? key : parent);
  });
}

/** The parse modes of PL/pgSQL's expressions. */
const STATEMENT = 0;
const EXPRESSION = 2;
const ASSIGNMENT = 3;

function staticSql({ query, parseMode }: Tree): Statement[] {
  if ((parseMode ?? STATEMENT) === STATEMENT) return parseStatements(query);
  if (parseMode < EXPRESSION) return [];
  const expression = parseMode >= ASSIGNMENT ? query.replace(/^.*?:?=/s, '') : query;
  return parseStatements(`select ${expression}`).filter(({ syntaxError }) => !syntaxError);
}

function dynamicSql({ query }: Tree): CodeStatement[] {
  try {
    const text = textOf((parseSync(`select ${query}`).stmts as Tree)[0].stmt.SelectStmt.targetList[0].ResTarget.val);
    const statements = text === SOME_NAME ? [] : parseStatements(text);
    if (statements.length > 0 && !statements.some(({ syntaxError }) => syntaxError))
      return text.includes(SOME_NAME) ? statements.map((each) => ({ ...each, composedOf: query })) : statements;
  } catch {
    // An expression that can't be parsed alone.
  }
  return [{ ...unread(`execute ${query}`), composedOf: query }];
}

/** Stands for what is known only when the code runs. */
const SOME_NAME = 'unknown_name';

/** The text that an expression makes, with a name in place of every value that is not constant. */
function textOf({ A_Const, A_Expr, TypeCast, FuncCall }: Tree): string {
  if (A_Const?.sval) return A_Const.sval.sval ?? '';
  if (TypeCast) return textOf(TypeCast.arg);
  if (A_Expr?.name?.[0]?.String?.sval === '||') return textOf(A_Expr.lexpr) + textOf(A_Expr.rexpr);
  const called = FuncCall?.funcname.at(-1).String.sval;
  if (called === 'concat') return (FuncCall.args ?? []).map(textOf).join('');
  if (called === 'quote_literal' || called === 'quote_nullable') return `'${SOME_NAME}'`;
  if (called === 'format' && FuncCall.args)
    return textOf(FuncCall.args[0]).replace(/%(?:\d+\$)?-?\d*([IsL%])/g, (_, form) => FORMATTED[form] ?? '');
  return SOME_NAME;
}

const FORMATTED: Record<string, string> = { I: SOME_NAME, s: SOME_NAME, L: `'${SOME_NAME}'`, '%': '%' };

/** Code that the parser does not read. */
export const unread = (sql: string): CodeStatement => ({ sql, kind: UNREAD_CODE, tree: {}, composedOf: sql });
