import { loadModule, type Node, parseSync, type SqlError, scanSync } from 'libpg-query';

await loadModule();

/** A node of PostgreSQL's own parse tree; whoever asks knows the shape of what it asks for. */
// biome-ignore lint/suspicious/noExplicitAny: typing it would take the 9,000 lines of @pgsql/types and a cast a line.
export type Tree = any;

/** One SQL statement of a migration, and what PostgreSQL's own grammar makes of it. */
export interface Statement {
  sql: string;
  /** The kind of statement, as the grammar calls it: 'IndexStmt', 'AlterTableStmt', … Empty where it can't be parsed. */
  kind: string;
  tree: Tree;
  syntaxError?: { message: string; position: number };
}

/** Splits a text into its statements. A text that PostgreSQL's grammar refuses stays whole and says why. */
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
    return [
      { sql: sql.trim(), kind: '', tree: {}, syntaxError: { message, position: sqlDetails?.cursorPosition ?? 0 } },
    ];
  }
}

/**
 * The SQL as its tokens: the same for any layout, comments, keyword case and line endings, different for anything
 * PostgreSQL would read differently.
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

/**
 * Statements PostgreSQL runs only outside a transaction block, by kind. Each entry looks at the tree and answers
 * with what to call the statement, or nothing when this one is harmless.
 */
const onlyOutside: Record<string, (tree: Tree) => string | false | undefined> = {
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

/** What to call the statement if it can't run inside a transaction; undefined if it can. */
export function onlyOutsideTransaction({ kind, tree }: Statement): string | undefined {
  return onlyOutside[kind]?.(tree) || undefined;
}

/** Whether the statement is one of the concurrent ones, which wait without anybody queueing behind them. */
export function isConcurrent(statement: Statement): boolean {
  return onlyOutsideTransaction(statement)?.endsWith('concurrently') ?? false;
}

/** Whether the statement can run inside a transaction that somebody else ends: code of its own may want to commit. */
export function canShareTransaction(statement: Statement): boolean {
  return !onlyOutsideTransaction(statement) && !['CallStmt', 'DoStmt', 'TransactionStmt', ''].includes(statement.kind);
}

function hasOption(params: Tree[] | undefined, name: string): boolean {
  return params?.some((param) => param.DefElem?.defname === name) ?? false;
}

function withoutLeadingComments(sql: string): string {
  return sql.replace(/^(\s+|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, '').trim();
}
