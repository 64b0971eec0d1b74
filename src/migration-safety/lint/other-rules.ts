import { onlyOutsideTransaction, type Tree } from '../sql/statements.ts';
import { drops, inUse, mayBeLarge, type Rule, statement } from './rule.ts';

/** Types, other objects, data, and settings of the session. */
export const OTHER_RULES: Rule[] = [
  {
    code: 'syntax-error',
    severity: 'error',
    harm: 'PostgreSQL cannot parse the statement.',
    instead: 'correct the syntax.',
    matches: (s) => s.syntaxError !== undefined,
  },
  {
    code: 'enum-value-at-once',
    severity: 'error',
    harm: 'A new value cannot be used in the transaction that adds it.',
    instead: 'add the value in a separate migration.',
    matches: statement(
      'AlterEnumStmt',
      (tree, context) =>
        context.transactional &&
        !tree.oldVal &&
        context.statements.slice(context.index + 1).some(({ sql }) => sql.includes(`'${tree.newVal}'`)),
    ),
  },
  {
    code: 'rename-enum-value',
    severity: 'error',
    harm: 'Code that is still running writes and expects the old value.',
    instead: 'add the new value, write it, update the rows, and keep the old value.',
    matches: statement('AlterEnumStmt', (tree) => Boolean(tree.oldVal)),
  },
  {
    code: 'drop-type',
    severity: 'error',
    harm: 'Code that is still running, and prepared statements, refer to the type.',
    instead: 'first deploy code that does not use it.',
    matches: drops('OBJECT_TYPE'),
  },
  {
    code: 'drop-schema',
    severity: 'error',
    harm: 'Everything in it may be dropped with it.',
    instead: 'drop its tables one by one, each with a reason.',
    matches: drops('OBJECT_SCHEMA'),
  },
  {
    code: 'drop-view',
    severity: 'warning',
    harm: 'Code that is still running, or a forgotten report, may read it.',
    instead: 'first make sure that nothing reads it; create or replace view to change it.',
    matches: drops(['OBJECT_VIEW', 'OBJECT_MATVIEW']),
  },
  {
    code: 'drop-function',
    severity: 'warning',
    harm: 'Triggers, defaults and code that is still running may call it.',
    instead: 'create or replace function to change it.',
    matches: drops(['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE']),
  },
  {
    code: 'drop-sequence',
    severity: 'error',
    harm: 'Inserts that take their default from it fail.',
    instead: 'drop the default first, in an earlier migration.',
    matches: drops('OBJECT_SEQUENCE'),
  },
  {
    code: 'drop-trigger',
    severity: 'warning',
    harm: 'What it enforced is no longer enforced.',
    instead: 'first deploy code that enforces it.',
    matches: drops('OBJECT_TRIGGER'),
  },
  {
    code: 'drop-extension',
    severity: 'error',
    harm: 'Its types, functions and operators are dropped, and with them the indexes that use them.',
    instead: 'first drop what uses it, by name.',
    matches: drops('OBJECT_EXTENSION'),
  },
  {
    code: 'drop-database',
    severity: 'error',
    harm: 'All data is lost.',
    instead: 'nothing: a migration is not the place for it.',
    matches: statement('DropdbStmt'),
  },
  {
    code: 'blocking-refresh',
    severity: 'error',
    harm: 'Reads of the view are blocked until it is computed.',
    instead: 'refresh materialized view concurrently.',
    matches: statement('RefreshMatViewStmt', (tree) => !tree.concurrent && !tree.skipData),
  },
  {
    code: 'rule',
    severity: 'error',
    harm: 'A rule rewrites the statements of other code, and evaluates their expressions more than once.',
    instead: 'a trigger, or an updatable view.',
    matches: statement('RuleStmt'),
  },
  {
    code: 'update-everything',
    severity: 'error',
    harm: 'Every row is locked until the end of the transaction, and the table doubles in size.',
    instead: 'batches with a where, in a migration outside a transaction.',
    matches: statement('UpdateStmt', (tree, context) => !tree.whereClause && mayBeLarge(tree.relation, context)),
  },
  {
    code: 'delete-everything',
    severity: 'error',
    harm: 'All rows are lost.',
    instead: 'a where clause that selects the rows to delete.',
    matches: statement('DeleteStmt', (tree, context) => !tree.whereClause && inUse(tree.relation, context)),
  },
  {
    code: 'data-behind-a-lock',
    severity: 'error',
    harm: 'The table was altered earlier in this transaction, so reads are blocked until the rows are changed as well.',
    instead: 'change the rows in a separate migration.',
    matches: statement(
      ['UpdateStmt', 'DeleteStmt'],
      (tree, context) =>
        context.transactional &&
        mayBeLarge(tree.relation, context) &&
        context.statements
          .slice(0, context.index)
          .some((earlier) => earlier.kind === 'AlterTableStmt' && inUse(earlier.tree.relation, context)),
    ),
  },
  {
    code: 'transaction-control',
    severity: 'error',
    harm: 'It ends the transaction that keeps the migration and its tracking row together.',
    instead: 'nothing: the migrator begins and commits the transaction, unless isTransactional() returns false.',
    matches: statement('TransactionStmt', (_tree, context) => context.transactional),
  },
  {
    code: 'session-setting',
    severity: 'warning',
    harm: 'The setting stays on the connection for its next user.',
    instead: 'set local.',
    matches: statement('VariableSetStmt', (tree) => !tree.is_local && tree.kind === 'VAR_SET_VALUE'),
  },
  {
    code: 'no-lock-timeout',
    severity: 'error',
    harm: 'Other sessions queue behind the migration for as long as it waits for a lock.',
    instead: 'lockTimeout = ’10s’ in the migration, if the default is too short.',
    matches: statement(
      'VariableSetStmt',
      (tree) =>
        tree.name === 'lock_timeout' &&
        ['0', 0].includes(tree.args?.[0]?.A_Const?.sval?.sval ?? tree.args?.[0]?.A_Const?.ival?.ival ?? 0),
    ),
  },
  {
    code: 'replication-role',
    severity: 'error',
    harm: 'Foreign keys and triggers are disabled, so rows that violate them can be written.',
    instead: 'change the rows in an order that never violates them.',
    matches: statement('VariableSetStmt', (tree) => tree.name === 'session_replication_role'),
  },
  {
    code: 'steps-outside-transaction',
    severity: 'error',
    harm: 'If a later statement fails, the earlier ones stay applied, and the next attempt runs them again.',
    instead: 'one statement per migration outside a transaction, or statements that can be repeated (if not exists).',
    matches: (s, { transactional, statements, index }) =>
      !transactional && index < statements.length - 1 && !isRepeatable(s.tree, s.kind),
  },
  {
    code: 'needless-outside-transaction',
    severity: 'warning',
    harm: 'Without a transaction, what was applied before a failure stays applied.',
    instead: 'do not override isTransactional(), unless a statement needs it or the migration commits its own batches.',
    matches: (s, { transactional, statements, index }) =>
      !transactional &&
      index === 0 &&
      s.kind.startsWith('Alter') &&
      !statements.some((each) => onlyOutsideTransaction(each)),
  },
  {
    code: 'grant-to-public',
    severity: 'error',
    harm: 'Every current and future role gets the privilege.',
    instead: 'name the role.',
    matches: statement(
      'GrantStmt',
      (tree) => tree.is_grant && tree.grantees.some((each: Tree) => each.RoleSpec.roletype === 'ROLESPEC_PUBLIC'),
    ),
  },
  {
    code: 'definer-without-search-path',
    severity: 'error',
    harm: 'The caller chooses which tables and operators the owner’s privileges are used on.',
    instead: 'security definer set search_path = … on the function.',
    matches: statement(
      'CreateFunctionStmt',
      (tree) =>
        isTrue(tree, 'security') &&
        !tree.options.some((each: Tree) => each.DefElem?.arg?.VariableSetStmt?.name === 'search_path'),
    ),
  },
];

/** Whether a boolean option is set: `security` is false for security invoker. */
const isTrue = (tree: Tree, name: string) =>
  tree.options?.some((each: Tree) => each.DefElem?.defname === name && each.DefElem.arg?.Boolean?.boolval === true);

/** Whether an update depends on the old value, such as set n = n + 1, so that running it twice differs from once. */
const dependsOnItself = (tree: Tree): boolean =>
  tree.targetList.some(({ ResTarget: { name, val } }: Tree) =>
    JSON.stringify(val).includes(`"ColumnRef":{"fields":[{"String":{"sval":"${name}"}}]`),
  );

/** Whether running the statement twice has the effect of running it once. */
const isRepeatable = (tree: Tree, kind: string) =>
  tree.if_not_exists ||
  tree.missing_ok ||
  tree.concurrent ||
  (kind === 'UpdateStmt' && !dependsOnItself(tree)) ||
  ['SelectStmt', 'DeleteStmt', 'VacuumStmt', 'VariableSetStmt'].includes(kind) ||
  tree.cmds?.every(
    ({ AlterTableCmd: cmd }: Tree) =>
      cmd?.missing_ok || cmd?.subtype === 'AT_ValidateConstraint' || cmd?.subtype === 'AT_SetNotNull',
  );
