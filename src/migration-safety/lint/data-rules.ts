import { UNREAD_CODE } from '../sql/plpgsql-body.ts';
import { onlyOutsideTransaction, type Tree } from '../sql/statements.ts';
import { placeholderColumn, selectsEverything } from './conditions.ts';
import { tableKey } from './known-schema.ts';
import { callsIn, nodes, routineName } from './nested-statements.ts';
import { after, alters, before, type Context, inUse, mayBeLarge, type Rule, statement } from './rule.ts';

/** Rows, sequences, transactions, and what is not read. */
export const DATA_RULES: Rule[] = [
  {
    code: 'syntax-error',
    severity: 'error',
    harm: 'PostgreSQL cannot parse the statement.',
    instead: 'correct the syntax.',
    matches: (s) => s.syntaxError !== undefined,
  },
  {
    code: 'unread-code',
    severity: 'warning',
    harm: 'Its statements are known only when it runs, so no rule has looked at them.',
    instead: 'write the statements in the migration, or make the text of execute constant.',
    matches: statement(UNREAD_CODE),
  },
  {
    code: 'update-everything',
    severity: 'error',
    harm: 'Every row is locked until the end of the transaction, and the table doubles in size.',
    instead: 'batches with a where, in a migration outside a transaction.',
    matches: (s, context) => changesEverything('Update')(s, context) && mayBeLarge(s.tree.relation, context),
  },
  {
    code: 'delete-everything',
    severity: 'error',
    harm: 'All rows are lost.',
    instead: 'a where clause that selects the rows to delete.',
    matches: (s, context) => changesEverything('Delete')(s, context) && inUse(s.tree.relation, context),
  },
  {
    code: 'placeholder-fill',
    severity: 'error',
    harm: 'It sets null where there is null already: the value for the existing rows is still to be written.',
    instead: 'the value that the existing rows get, in place of null.',
    insteadOf: ({ tree }) => {
      const column = placeholderColumn(tree);
      return `a value or an expression in place of null, for the existing rows of ${tableKey(tree.relation)}: set ${column} = … where ${column} is null.`;
    },
    matches: statement('UpdateStmt', (tree) => placeholderColumn(tree) !== undefined),
  },
  {
    code: 'data-behind-a-lock',
    severity: 'error',
    harm: 'The table was altered earlier in this transaction, so reads are blocked until the rows are changed as well.',
    instead: 'change the rows in a separate migration.',
    matches: statement(
      ['UpdateStmt', 'DeleteStmt', 'MergeStmt'],
      (tree, context) =>
        context.transactional &&
        mayBeLarge(tree.relation, context) &&
        before(context).some((earlier) => earlier.kind === 'AlterTableStmt' && inUse(earlier.tree.relation, context)),
    ),
  },
  {
    code: 'setval',
    severity: 'error',
    harm: 'Numbers that the sequence gave out meanwhile are given out again, so inserts fail or overwrite; no rollback undoes it.',
    instead:
      'never less than it has given out: setval(s, greatest((select last_value from s), (select max(id) from t))).',
    matches: (s, context) =>
      callsIn(s).some((call) => routineName(call.funcname) === 'setval' && goesBack(call.args ?? [], context)) ||
      alters('AT_SetIdentity', restarts)(s, context) ||
      (s.kind === 'AlterSeqStmt' &&
        s.tree.options?.some(restartsWith) &&
        !isNewSequence([tableKey(s.tree.sequence)], context)),
  },
  {
    code: 'server-file',
    severity: 'error',
    harm: 'It reads or writes a file of the database server, or starts a program there: in another environment there is none.',
    instead: 'insert the rows in the migration.',
    matches: statement('CopyStmt', (tree) => Boolean(tree.filename)),
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
    matches: (s, context) =>
      !context.transactional &&
      !s.within &&
      after(context).some(({ within }) => !within) &&
      !isRepeatable(s.tree, s.kind),
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
];

/** UPDATE or DELETE without a condition, or with one that holds for every row. */
const changesEverything = (command: 'Update' | 'Delete') =>
  statement([`${command}Stmt`, 'MergeStmt'], (tree, { known }, { kind }) => {
    const isRequired = (column: string) => known.isRequired(tableKey(tree.relation), column);
    if (kind !== 'MergeStmt') return selectsEverything(tree.whereClause, isRequired);
    return (
      selectsEverything(tree.joinCondition, isRequired) &&
      tree.mergeWhenClauses.some(
        ({ MergeWhenClause: { commandType, condition } }: Tree) =>
          commandType === `CMD_${command.toUpperCase()}` && selectsEverything(condition, isRequired),
      )
    );
  });

/** Whether setval() may set less than the sequence has given out: its value takes no account of that. */
const goesBack = ([sequence, value]: Tree[], context: Context): boolean => {
  const names = nodes(sequence ?? {}, 'A_Const').map(({ sval }) => sval?.sval ?? '');
  return !/"(last_value|nextval)"/.test(JSON.stringify(value ?? {})) && !isNewSequence(names, context);
};

/** Whether the migration created the sequence, or the table or identity that it numbers. */
const isNewSequence = (texts: string[], context: Context): boolean => {
  const names = texts.map((text) => text.replaceAll('"', '').replace(/^public\./, ''));
  const isNamed = (relation: Tree) => names.includes(tableKey(relation));
  return (
    names.some((name) =>
      [...context.createdTables].some((table) => name === table || (name.startsWith(table) && /_seq$/.test(name))),
    ) ||
    before(context).some(
      ({ kind, tree }) =>
        (kind === 'CreateSeqStmt' && isNamed(tree.sequence)) ||
        (kind === 'AlterTableStmt' &&
          isNamed(tree.relation) &&
          tree.cmds.some(({ AlterTableCmd: cmd }: Tree) => cmd.subtype === 'AT_AddIdentity')),
    )
  );
};

const restarts = ({ def }: Tree): boolean => def?.List?.items.some(restartsWith) ?? false;

const restartsWith = ({ DefElem }: Tree): boolean => DefElem?.defname === 'restart';

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
