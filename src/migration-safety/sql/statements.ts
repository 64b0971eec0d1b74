import { loadModule, type Node, parseSync, type SqlError, scanSync } from 'libpg-query';

await loadModule();

/** A node of PostgreSQL's parse tree, untyped: the caller knows its shape from the kind of statement. */
// biome-ignore lint/suspicious/noExplicitAny: typing it would take the 9,000 lines of @pgsql/types and a cast a line.
export type Tree = any;

/** One SQL statement of a migration, parsed by PostgreSQL's own grammar. */
export interface Statement {
  sql: string;
  /** The node type of the statement: 'IndexStmt', 'AlterTableStmt', … Empty if it can't be parsed. */
  kind: string;
  tree: Tree;
  syntaxError?: { message: string; position: number };
}

/** Splits SQL into its statements. SQL with a syntax error stays one statement, with the error. */
export function parseStatements(sql: string): Statement[] {
  if (sql.trim() === '') return [];
  try {
    const bytes = Buffer.from(sql);
    return (parseSync(sql).stmts ?? []).map((raw) => {
      const from = raw.stmt_location ?? 0;
      const to = raw.stmt_len ? from + raw.stmt_len : bytes.length;
      const [kind = '', tree] = Object.entries(raw.stmt as Node)[0] ?? [];
      return { sql: withoutLeadingComments(bytes.subarray(from, to).toString()), kind, tree };
    });
  } catch (error) {
    const { message, sqlDetails } = error as SqlError;
    const position = (sqlDetails?.cursorPosition ?? 0) - (sql.length - sql.trimStart().length);
    return [{ sql: sql.trim(), kind: '', tree: {}, syntaxError: { message, position } }];
  }
}

/**
 * The SQL reduced to its tokens: independent of layout, comments, keyword case and line endings, different for anything
 * PostgreSQL parses differently.
 */
export function canonicalSql(sql: string): string {
  try {
    return scanSync(sql.replace(/\r\n?/g, '\n'))
      .tokens.filter((token) => token.tokenName !== 'SQL_COMMENT' && token.tokenName !== 'C_COMMENT')
      .map((token) => (/^["'$]|^[a-zA-Z]+'/.test(token.text) ? token.text : token.text.toLowerCase()))
      .join(' ')
      .replace(/( ;)+$/, '');
  } catch {
    return sql.replace(/\s+/g, ' ').trim();
  }
}

/** The commands that PostgreSQL refuses inside a transaction block. Each entry names the command if it is one of them. */
const ONLY_OUTSIDE_TRANSACTION: Record<string, (tree: Tree) => string | false | undefined> = {
  IndexStmt: (tree) => tree.concurrent && 'create index concurrently',
  DropStmt: (tree) => tree.concurrent && 'drop index concurrently',
  ReindexStmt: (tree) =>
    (hasOption(tree.params, 'concurrently') && 'reindex concurrently') ||
    (['REINDEX_OBJECT_DATABASE', 'REINDEX_OBJECT_SYSTEM', 'REINDEX_OBJECT_SCHEMA'].includes(tree.kind) && 'reindex'),
  VacuumStmt: (tree) => tree.is_vacuumcmd && 'vacuum',
  CreatedbStmt: () => 'create database',
  DropdbStmt: () => 'drop database',
  CreateTableSpaceStmt: () => 'create tablespace',
  DropTableSpaceStmt: () => 'drop tablespace',
  AlterSystemStmt: () => 'alter system',
  ClusterStmt: (tree) => !tree.relation && 'cluster',
  CreateSubscriptionStmt: () => 'create subscription',
  AlterTableStmt: (tree) =>
    tree.cmds?.some((cmd: Tree) => cmd.AlterTableCmd?.def?.PartitionCmd?.concurrent) && 'detach partition concurrently',
};

/** The name of the command if it can't run inside a transaction; undefined if it can. */
export function onlyOutsideTransaction({ kind, tree }: Statement): string | undefined {
  return ONLY_OUTSIDE_TRANSACTION[kind]?.(tree) || undefined;
}

/** Whether the statement changes the type of a column. */
export const changesType = ({ kind, tree }: Statement): boolean =>
  kind === 'AlterTableStmt' && tree.cmds.some(({ AlterTableCmd: cmd }: Tree) => cmd?.subtype === 'AT_AlterColumnType');

/** Whether the statement is a concurrent one, which waits for locks without blocking reads and writes. */
export function isConcurrent(statement: Statement): boolean {
  return onlyOutsideTransaction(statement)?.endsWith('concurrently') ?? false;
}

/** Whether the statement can share a transaction with the tracking row: a procedure or DO block may commit by itself. */
export function canShareTransaction(statement: Statement): boolean {
  return !onlyOutsideTransaction(statement) && !['CallStmt', 'DoStmt', 'TransactionStmt', ''].includes(statement.kind);
}

/** Whether the options of a statement, such as `vacuum (full)`, include this one. */
export function hasOption(params: Tree[] | undefined, name: string): boolean {
  return params?.some((param) => param.DefElem?.defname === name) ?? false;
}

function withoutLeadingComments(sql: string): string {
  return sql.replace(/^(\s+|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, '').trim();
}
