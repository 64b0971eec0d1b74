import { tableKey } from '../lint/rule.ts';
import { MigrationProblem } from '../problems.ts';
import { parseStatements, type Statement, type Tree } from '../sql/statements.ts';

/** What a kind of change is named after: each of the changes, and all of them if they are many. */
interface Namer {
  plural: string;
  namesOf: (statement: Statement) => string[];
}

/** Names after statements of a kind, if there is a name for them. */
const statement = (of: string, plural: string, name: (tree: Tree) => string | false): Namer => ({
  plural,
  namesOf: ({ kind, tree }) => [(kind === of && name(tree)) || []].flat(),
});

/** Names after commands of ALTER TABLE. */
const command = (type: string, plural: string, name: (cmd: Tree, table: string) => string | false): Namer => ({
  plural,
  namesOf: ({ kind, tree }) =>
    kind === 'AlterTableStmt'
      ? tree.cmds.flatMap(
          ({ AlterTableCmd: cmd }: Tree) => (cmd.subtype === type && name(cmd, last(tree.relation))) || [],
        )
      : [],
});

const last = (relation: Tree) => tableKey(relation).split('.').at(-1) ?? '';

/** The name of an object that a statement gives as a list, the last part of it. */
const nameOf = (object: Tree): string =>
  (object.List?.items ?? object.ObjectWithArgs?.objname ?? object.TypeName?.names ?? [object]).at(-1)?.String?.sval ??
  '';

/** The first that finds a name in a migration names it: what is seldom alone comes last. */
const NAMERS: Namer[] = [
  statement('CreateStmt', 'tables', (tree) => !tree.partbound && `create_${last(tree.relation)}`),
  statement(
    'RenameStmt',
    'tables',
    ({ renameType, relation, newname }) => renameType === 'OBJECT_TABLE' && `rename_${last(relation)}_to_${newname}`,
  ),
  statement(
    'RenameStmt',
    'columns',
    ({ renameType, relation, subname, newname }) =>
      renameType === 'OBJECT_COLUMN' && `rename_${last(relation)}_${subname}_to_${newname}`,
  ),
  command('AT_AddColumn', 'columns', (cmd, table) => `add_${table}_${cmd.def.ColumnDef.colname}`),
  statement(
    'DropStmt',
    'tables',
    ({ removeType, objects }) => removeType === 'OBJECT_TABLE' && `drop_${nameOf(objects[0])}`,
  ),
  command('AT_DropColumn', 'columns', (cmd, table) => `drop_${table}_${cmd.name}`),
  statement(
    'RenameStmt',
    'indexes',
    ({ renameType, relation, newname }) =>
      renameType === 'OBJECT_INDEX' && relation.relname === `${newname}_new` && `replace_${newname}`,
  ),
  command('AT_AddConstraint', 'constraints', ({ def: { Constraint } }) => {
    const { conname, indexname } = Constraint;
    return indexname === `${conname}_new` && `replace_${conname}`;
  }),
  statement('IndexStmt', 'indexes', ({ idxname, relation }) => `build_${idxname ?? `${last(relation)}_index`}`),
  statement(
    'DropStmt',
    'indexes',
    ({ removeType, objects }) => removeType === 'OBJECT_INDEX' && `drop_${nameOf(objects[0])}`,
  ),
  statement(
    'UpdateStmt',
    'columns',
    ({ relation, targetList }) => `fill_${last(relation)}_${targetList[0].ResTarget.name}`,
  ),
  command('AT_SetNotNull', 'columns', (cmd, table) => `require_${table}_${cmd.name}`),
  command('AT_ValidateConstraint', 'constraints', (cmd) => `validate_${cmd.name}`),
  command('AT_AddConstraint', 'constraints', (cmd) => `add_${cmd.def.Constraint.conname}`),
  command('AT_DropConstraint', 'constraints', (cmd) => `drop_${cmd.name}`),
  command('AT_AlterColumnType', 'columns', (cmd, table) => `change_${table}_${cmd.name}`),
  statement('AlterTableStmt', 'tables', ({ relation }) => `change_${last(relation)}`),
  statement('CreateStmt', 'partitions', ({ relation }) => `create_${last(relation)}`),
  statement('AlterObjectSchemaStmt', 'tables', ({ relation, newschema }) => `move_${last(relation)}_to_${newschema}`),
  statement('ViewStmt', 'views', ({ view }) => `create_view_${last(view)}`),
  statement('CreateTableAsStmt', 'views', ({ into }) => `create_view_${last(into.rel)}`),
  statement('CreateTrigStmt', 'triggers', ({ trigname }) => `create_trigger_${trigname}`),
  statement('CreatePolicyStmt', 'policies', ({ policy_name }) => `create_policy_${policy_name}`),
  statement('CreateFunctionStmt', 'functions', ({ funcname }) => `define_function_${nameOf(funcname.at(-1))}`),
  statement('CreateEnumStmt', 'types', ({ typeName }) => `create_type_${nameOf(typeName.at(-1))}`),
  statement('AlterEnumStmt', 'values', ({ typeName, newVal }) => `add_${newVal}_to_${nameOf(typeName.at(-1))}`),
  statement('CreateSeqStmt', 'sequences', ({ sequence }) => `create_sequence_${last(sequence)}`),
  statement('AlterSeqStmt', 'sequences', ({ sequence }) => `change_sequence_${last(sequence)}`),
  statement('CreateExtensionStmt', 'extensions', ({ extname }) => `create_extension_${extname}`),
  statement(
    'RenameStmt',
    'objects',
    ({ subname, relation, newname }) => `rename_${subname ?? (relation ? last(relation) : '')}_to_${newname}`,
  ),
  statement('DropStmt', 'objects', ({ objects }) => `drop_${nameOf(objects[0])}`),
  statement('CreateSchemaStmt', 'schemas', ({ schemaname }) => `create_schema_${schemaname}`),
  statement('CommentStmt', 'comments', ({ object }) => `comment_${nameOf(object)}`),
];

/** Names a migration after its statements: add_articles_read_count. */
export function nameFor(sql: string[]): string {
  const statements = sql.flatMap(parseStatements);
  for (const { plural, namesOf } of NAMERS) {
    const names = [...new Set(statements.flatMap(namesOf))];
    if (names.length > 0)
      return listed(names, plural)
        .toLowerCase()
        .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '_')
        .slice(0, MAX_LENGTH);
  }
  return 'change_schema';
}

const MAX_LENGTH = 70;

/** Up to three changes by their names, without repeating how they begin: add_articles_a_b_and_c. More: add_articles_columns. */
function listed(names: string[], plural: string): string {
  const shared = commonPrefix(names);
  const others = names.map((name) => name.slice(shared.length));
  const final = others.pop();
  const list = others.length === 0 ? names.join() : `${shared}${others.join('_')}_and_${final}`;
  return names.length === 1 || (names.length <= 3 && list.length <= MAX_LENGTH) ? list : `${shared}${plural}`;
}

/** A given name as part of a file name and a class name. */
export const toIdentifier = (text: string) => text.replace(/[^\p{L}\p{M}\p{N}_]+/gu, '_').replace(/^_+|_+$/g, '');

/** The file system takes 255 bytes for a file name, and the tracking table as many characters for a migration. */
export function refuseLongName(identifier: string | undefined): void {
  const file = `Migration20260101000000_${identifier}.ts`;
  const excess = Buffer.byteLength(file) - 255;
  if (excess <= 0) return;
  throw new MigrationProblem(
    'bad-setting',
    `--name is too long by ${excess} bytes: a file name has at most 255. No file was written.`,
  );
}

/** The words that all names begin with, but for the last word of each. */
function commonPrefix(names: string[]): string {
  const [first = [], ...others] = names.map((name) => name.split('_').slice(0, -1));
  const differs = first.findIndex((word, i) => others.some((words) => words[i] !== word));
  const words = differs === -1 ? first : first.slice(0, differs);
  return words.map((word) => `${word}_`).join('');
}
