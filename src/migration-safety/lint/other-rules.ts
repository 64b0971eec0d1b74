import { onlyOutsideTransaction, type Tree } from '../sql/statements.ts';
import { drops, inUse, large, type Rule, statement } from './rule.ts';

/** Types, data, the session, and everything that is not a table. */
export const OTHER_RULES: Rule[] = [
  {
    code: 'syntax-error',
    severity: 'error',
    harm: 'PostgreSQL will not understand the statement.',
    instead: 'SQL that parses; the message above says where it stops.',
    finds: (s) => s.syntaxError !== undefined,
  },
  {
    code: 'enum-value-at-once',
    severity: 'error',
    harm: 'A new value can not be used in the transaction that adds it.',
    instead: 'add the value in a migration of its own.',
    finds: statement(
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
    harm: 'Code that still runs writes and expects the old value.',
    instead: 'add the new value, write it, change the rows, and let the old one be.',
    finds: statement('AlterEnumStmt', (tree) => Boolean(tree.oldVal)),
  },
  {
    code: 'drop-type',
    severity: 'error',
    harm: 'Code that still runs, and prepared statements, refer to the type.',
    instead: 'first deploy code that does not use it.',
    finds: drops('OBJECT_TYPE'),
  },
  {
    code: 'drop-schema',
    severity: 'error',
    harm: 'Everything in it may go with it.',
    instead: 'drop its tables one by one, each with a reason.',
    finds: drops('OBJECT_SCHEMA'),
  },
  {
    code: 'drop-view',
    severity: 'warning',
    harm: 'Code that still runs, and reports nobody remembers, may read it.',
    instead: 'first make sure that nobody does; create or replace view to change it.',
    finds: (s, c) => ['OBJECT_VIEW', 'OBJECT_MATVIEW'].some((type) => drops(type)(s, c)),
  },
  {
    code: 'drop-function',
    severity: 'warning',
    harm: 'Triggers, defaults and code that still runs may call it.',
    instead: 'create or replace function to change it.',
    finds: (s, c) => ['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE'].some((type) => drops(type)(s, c)),
  },
  {
    code: 'drop-sequence',
    severity: 'error',
    harm: 'Inserts that take their number from it fail.',
    instead: 'drop the default first, in a migration before this one.',
    finds: drops('OBJECT_SEQUENCE'),
  },
  {
    code: 'drop-trigger',
    severity: 'warning',
    harm: 'What it kept true is no longer kept.',
    instead: 'first deploy code that keeps it true.',
    finds: drops('OBJECT_TRIGGER'),
  },
  {
    code: 'drop-extension',
    severity: 'error',
    harm: 'Its types, functions and operators go, and with them the indexes that use them.',
    instead: 'first drop what uses it, by name.',
    finds: drops('OBJECT_EXTENSION'),
  },
  {
    code: 'drop-database',
    severity: 'error',
    harm: 'Everything is gone.',
    instead: 'nothing: a migration is not the place.',
    finds: statement('DropdbStmt'),
  },
  {
    code: 'blocking-refresh',
    severity: 'error',
    harm: 'Readers of the view wait until it is computed.',
    instead: 'refresh materialized view concurrently.',
    finds: statement('RefreshMatViewStmt', (tree) => !tree.concurrent && !tree.skipData),
  },
  {
    code: 'rule',
    severity: 'error',
    harm: 'A rule rewrites other people’s statements, and evaluates their expressions more than once.',
    instead: 'a trigger, or an updatable view.',
    finds: statement('RuleStmt'),
  },
  {
    code: 'update-everything',
    severity: 'error',
    harm: 'Every row is locked until the end of the transaction, and the table doubles in size.',
    instead: 'batches with a where, in a migration outside a transaction.',
    finds: statement('UpdateStmt', (tree, context) => !tree.whereClause && large(tree.relation, context)),
  },
  {
    code: 'delete-everything',
    severity: 'error',
    harm: 'All rows are gone.',
    instead: 'a where that says which ones.',
    finds: statement('DeleteStmt', (tree, context) => !tree.whereClause && inUse(tree.relation, context)),
  },
  {
    code: 'data-behind-a-lock',
    severity: 'error',
    harm: 'The table was altered earlier in this transaction, so readers wait until the rows are changed, too.',
    instead: 'change the rows in a migration of their own.',
    finds: ({ kind, tree }, context) =>
      context.transactional &&
      ['UpdateStmt', 'DeleteStmt'].includes(kind) &&
      large(tree.relation, context) &&
      context.statements
        .slice(0, context.index)
        .some((earlier) => earlier.kind === 'AlterTableStmt' && inUse(earlier.tree.relation, context)),
  },
  {
    code: 'transaction-control',
    severity: 'error',
    harm: 'It ends the transaction that keeps the migration and its log row together.',
    instead: 'nothing: each migration has its transaction, or says that it wants none.',
    finds: statement('TransactionStmt', (_tree, context) => context.transactional),
  },
  {
    code: 'session-setting',
    severity: 'warning',
    harm: 'The setting stays on the connection, for whoever gets it next.',
    instead: 'set local.',
    finds: statement('VariableSetStmt', (tree) => !tree.is_local && tree.kind === 'VAR_SET_VALUE'),
  },
  {
    code: 'no-lock-timeout',
    severity: 'error',
    harm: 'Everybody queues behind the migration for as long as it waits for a lock.',
    instead: 'lockTimeout = ’10s’ in the migration, if the default is too short.',
    finds: statement(
      'VariableSetStmt',
      (tree) =>
        tree.name === 'lock_timeout' &&
        ['0', 0].includes(tree.args?.[0]?.A_Const?.sval?.sval ?? tree.args?.[0]?.A_Const?.ival?.ival ?? 0),
    ),
  },
  {
    code: 'replication-role',
    severity: 'error',
    harm: 'Foreign keys and triggers are switched off, so rows that violate them get in.',
    instead: 'change the rows in an order that never violates them.',
    finds: statement('VariableSetStmt', (tree) => tree.name === 'session_replication_role'),
  },
  {
    code: 'steps-outside-transaction',
    severity: 'error',
    harm: 'When a later statement fails, the earlier ones stay done, and the next attempt does them again.',
    instead: 'one statement a migration outside a transaction, or statements that can be repeated (if not exists).',
    finds: (s, { transactional, statements, index }) =>
      !transactional && index < statements.length - 1 && !repeatable(s.tree, s.kind),
  },
  {
    code: 'needless-outside-transaction',
    severity: 'warning',
    harm: 'Without a transaction, what was done before a failure stays.',
    instead: 'leave isTransactional() as it is, unless a statement needs it or a migration commits batches of its own.',
    finds: (s, { transactional, statements, index }) =>
      !transactional &&
      index === 0 &&
      s.kind.startsWith('Alter') &&
      !statements.some((each) => onlyOutsideTransaction(each)),
  },
  {
    code: 'grant-to-public',
    severity: 'error',
    harm: 'Every role there is, and every one there will be, may use it.',
    instead: 'name the role.',
    finds: statement(
      'GrantStmt',
      (tree) => tree.is_grant && tree.grantees.some((each: Tree) => each.RoleSpec.roletype === 'ROLESPEC_PUBLIC'),
    ),
  },
  {
    code: 'definer-without-search-path',
    severity: 'error',
    harm: 'Whoever calls the function chooses which tables and operators its owner’s rights are used on.',
    instead: 'security definer set search_path = … on the function.',
    finds: statement(
      'CreateFunctionStmt',
      (tree) =>
        option(tree, 'security') &&
        !tree.options.some((each: Tree) => each.DefElem?.arg?.VariableSetStmt?.name === 'search_path'),
    ),
  },
];

const option = (tree: Tree, name: string) =>
  tree.options?.some((each: Tree) => each.DefElem?.defname === name && each.DefElem.arg?.Boolean?.boolval === true);

/** set n = n + 1: done twice, it is done twice. */
const buildsOnItself = (tree: Tree): boolean =>
  tree.targetList.some(({ ResTarget: { name, val } }: Tree) =>
    JSON.stringify(val).includes(`"ColumnRef":{"fields":[{"String":{"sval":"${name}"}}]`),
  );

const repeatable = (tree: Tree, kind: string) =>
  tree.if_not_exists ||
  tree.missing_ok ||
  tree.concurrent ||
  (kind === 'UpdateStmt' && !buildsOnItself(tree)) ||
  ['SelectStmt', 'DeleteStmt', 'VacuumStmt', 'VariableSetStmt'].includes(kind) ||
  tree.cmds?.every(
    ({ AlterTableCmd: cmd }: Tree) =>
      cmd?.missing_ok || cmd?.subtype === 'AT_ValidateConstraint' || cmd?.subtype === 'AT_SetNotNull',
  );
