import type { Tree } from '../sql/statements.ts';
import { tableKey } from './known-schema.ts';
import { after, before, type Context, drops, type Rule, statement } from './rule.ts';

/** Types, schemas, functions and other objects than tables. */
export const OTHER_RULES: Rule[] = [
  {
    code: 'enum-value-at-once',
    severity: 'error',
    harm: 'A new value cannot be used in the transaction that adds it.',
    instead: 'add the value in a separate migration.',
    matches: statement(
      'AlterEnumStmt',
      (tree, context) =>
        context.transactional && !tree.oldVal && after(context).some(({ sql }) => sql.includes(`'${tree.newVal}'`)),
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
    matches: drops(['OBJECT_TYPE', 'OBJECT_DOMAIN'], (tree, context) => !isPutAside(tree, context)),
  },
  {
    code: 'drop-attribute',
    severity: 'error',
    harm: 'The values are lost in every column of the type, and code that is still running fails on the missing attribute.',
    instead: 'a new type without it and a new column of that type, filled in batches.',
    matches: statement(
      'AlterTableStmt',
      (tree) =>
        tree.objtype === 'OBJECT_TYPE' &&
        tree.cmds.some(({ AlterTableCmd: cmd }: Tree) => cmd.subtype === 'AT_DropColumn'),
    ),
  },
  {
    code: 'domain-not-null',
    severity: 'error',
    harm: 'Every table that uses the domain is scanned for nulls while reads and writes are blocked.',
    instead:
      'a check (value is not null) not valid on the domain, validated in the next migration; or not null on the columns.',
    matches: statement('AlterDomainStmt', (tree) => tree.subtype === 'O'),
  },
  {
    code: 'rename-object',
    severity: 'warning',
    harm: 'Code that is still running uses the old name and fails.',
    instead: 'make the object a second time under the new name, and drop the old one when no code uses it.',
    matches: statement(
      'RenameStmt',
      (tree, context) => RENAMED_OBJECTS.has(tree.renameType) && !isMadeHere(nameOf(tree), context),
    ),
  },
  {
    code: 'rename-schema',
    severity: 'error',
    harm: 'Everything in it gets another name: code that is still running, and every function with the old name in its body, fails.',
    instead: 'a new schema, and views in the old one until the old code is gone.',
    matches: statement('RenameStmt', (tree) => tree.renameType === 'OBJECT_SCHEMA'),
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
    matches: drops(['OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE']),
  },
  {
    code: 'drop-function',
    severity: 'warning',
    harm: 'Triggers, defaults and code that is still running may call it.',
    instead: 'create or replace function to change it.',
    matches: drops(['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE', 'OBJECT_OPERATOR']),
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
    matches: drops(['OBJECT_TRIGGER', 'OBJECT_EVENT_TRIGGER']),
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
    code: 'alter-database',
    severity: 'error',
    harm: 'It changes every later session, and names a database: in another environment it has another name.',
    instead: 'the setting in the connection of the application, or where the database is set up.',
    matches: statement(['AlterDatabaseStmt', 'AlterDatabaseSetStmt', 'RenameStmt'], (tree, _context, s) =>
      s.kind === 'RenameStmt' ? tree.renameType === 'OBJECT_DATABASE' : true,
    ),
  },
  {
    code: 'alter-system',
    severity: 'error',
    harm: 'It changes the settings of the whole server, for all of its databases.',
    instead: 'the setting where the server is set up.',
    matches: statement('AlterSystemStmt'),
  },
  {
    code: 'drop-replication',
    severity: 'error',
    harm: 'Changes no longer reach the databases that subscribe, and catching up means copying the tables again.',
    instead: 'alter publication or alter subscription to change it.',
    matches: (s, context) =>
      s.kind === 'DropSubscriptionStmt' ||
      (s.kind === 'AlterPublicationStmt' && s.tree.action === 'AP_DropObjects') ||
      drops('OBJECT_PUBLICATION')(s, context),
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
];

/** Tables, columns, roles and databases have rules of their own; indexes, constraints and triggers are not in queries. */
const RENAMED_OBJECTS = new Set([
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_SEQUENCE',
  'OBJECT_TYPE',
  'OBJECT_DOMAIN',
  'OBJECT_ATTRIBUTE',
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
]);

/** The name of what is renamed, without its schema. */
const nameOf = ({ relation, object }: Tree): string =>
  relation?.relname ?? (object?.List?.items ?? object?.ObjectWithArgs?.objname)?.at(-1)?.String?.sval ?? '';

/** Whether the migration makes an object of the old name: before, so that no code uses it yet, or again. */
const isMadeHere = (name: string, { statements }: Context): boolean =>
  statements.some(({ kind, tree }) =>
    kind === 'ViewStmt'
      ? tableKey(tree.view) === name
      : /^Create(Enum|Domain|Function|Seq)Stmt$|^CompositeTypeStmt$/.test(kind) && createdName(tree) === name,
  );

const createdName = (tree: Tree): string =>
  (tree.typeName ?? tree.domainname ?? tree.funcname)?.at(-1)?.String?.sval ?? (tree.typevar ?? tree.sequence)?.relname;

/** Whether the migration renamed the type before, so that no code uses this name. */
const isPutAside = ({ objects }: Tree, context: Context): boolean =>
  objects.every((each: Tree) =>
    before(context).some(
      ({ kind, tree }) =>
        kind === 'RenameStmt' &&
        ['OBJECT_TYPE', 'OBJECT_DOMAIN'].includes(tree.renameType) &&
        tree.newname === each.TypeName?.names.at(-1).String.sval,
    ),
  );
