import { tableKey } from '../lint/rule.ts';
import { MigrationProblem } from '../problems.ts';
import { parseStatements, type Statement, type Tree } from '../sql/statements.ts';

const command =
  (type: string, name: (cmd: Tree, table: string) => string) =>
  ({ tree, kind }: Statement) =>
    kind === 'AlterTableStmt'
      ? tree.cmds.flatMap(({ AlterTableCmd: cmd }: Tree) =>
          cmd.subtype === type ? [name(cmd, last(tree.relation))] : [],
        )
      : [];

const last = (relation: Tree) => tableKey(relation).split('.').at(-1) ?? '';

/** The name of an object that a statement gives as a list, the last part of it. */
const nameOf = (object: Tree): string =>
  (object.List?.items ?? object.ObjectWithArgs?.objname ?? object.TypeName?.names ?? [object]).at(-1)?.String?.sval ??
  '';

/** Names for the kinds of statements that are seldom alone; of several in one migration, the first here counts. */
const OTHER_KINDS: Record<string, (tree: Tree) => string> = {
  CreateStmt: ({ relation }) => `create_${last(relation)}`,
  AlterObjectSchemaStmt: ({ relation, newschema }) => `move_${last(relation)}_to_${newschema}`,
  ViewStmt: ({ view }) => `create_view_${last(view)}`,
  CreateTableAsStmt: ({ into }) => `create_view_${last(into.rel)}`,
  CreateTrigStmt: ({ trigname }) => `create_trigger_${trigname}`,
  CreatePolicyStmt: ({ policy_name }) => `create_policy_${policy_name}`,
  CreateFunctionStmt: ({ funcname }) => `define_function_${nameOf({ List: { items: funcname } })}`,
  CreateEnumStmt: ({ typeName }) => `create_type_${nameOf({ List: { items: typeName } })}`,
  AlterEnumStmt: ({ typeName, newVal }) => `add_${newVal}_to_${nameOf({ List: { items: typeName } })}`,
  CreateSeqStmt: ({ sequence }) => `create_sequence_${last(sequence)}`,
  AlterSeqStmt: ({ sequence }) => `change_sequence_${last(sequence)}`,
  CreateExtensionStmt: ({ extname }) => `create_extension_${extname}`,
  RenameStmt: ({ subname, relation, newname }) => `rename_${subname ?? (relation ? last(relation) : '')}_to_${newname}`,
  DropStmt: ({ objects }) => `drop_${nameOf(objects[0])}`,
  CreateSchemaStmt: ({ schemaname }) => `create_schema_${schemaname}`,
  CommentStmt: ({ object }) => `comment_${nameOf(object)}`,
};

/** Names for what a statement does. The first entry that matches a statement of the migration names it. */
const NAMERS: ((statement: Statement) => string[])[] = [
  ({ kind, tree }) => (kind === 'CreateStmt' && !tree.partbound ? [`create_${last(tree.relation)}`] : []),
  ({ kind, tree }) =>
    kind === 'RenameStmt' && tree.renameType === 'OBJECT_TABLE'
      ? [`rename_${last(tree.relation)}_to_${tree.newname}`]
      : [],
  ({ kind, tree }) =>
    kind === 'RenameStmt' && tree.renameType === 'OBJECT_COLUMN'
      ? [`rename_${last(tree.relation)}_${tree.subname}_to_${tree.newname}`]
      : [],
  command('AT_AddColumn', (cmd, table) => `add_${table}_${cmd.def.ColumnDef.colname}`),
  ({ kind, tree }) =>
    kind === 'DropStmt' && tree.removeType === 'OBJECT_TABLE'
      ? [`drop_${tree.objects[0].List.items.at(-1).String.sval}`]
      : [],
  command('AT_DropColumn', (cmd, table) => `drop_${table}_${cmd.name}`),
  ({ kind, tree }) => (kind === 'IndexStmt' ? [`build_${tree.idxname ?? `${last(tree.relation)}_index`}`] : []),
  ({ kind, tree }) =>
    kind === 'DropStmt' && tree.removeType === 'OBJECT_INDEX'
      ? [`drop_${tree.objects[0].List.items.at(-1).String.sval}`]
      : [],
  ({ kind, tree }) =>
    kind === 'UpdateStmt' ? [`fill_${last(tree.relation)}_${tree.targetList[0].ResTarget.name}`] : [],
  command('AT_SetNotNull', (cmd, table) => `require_${table}_${cmd.name}`),
  command('AT_ValidateConstraint', (cmd) => `validate_${cmd.name}`),
  command('AT_AddConstraint', (cmd) => `add_${cmd.def.Constraint.conname}`),
  command('AT_DropConstraint', (cmd) => `drop_${cmd.name}`),
  command('AT_AlterColumnType', (cmd, table) => `change_${table}_${cmd.name}`),
  ({ kind, tree }) => (kind === 'AlterTableStmt' ? [`change_${last(tree.relation)}`] : []),
  ...Object.entries(OTHER_KINDS).map(
    ([of, name]) =>
      ({ kind, tree }: Statement) =>
        kind === of ? [name(tree)] : [],
  ),
];

/** Names a migration after its statements: add_articles_read_count. Two changes are named, more are counted. */
export function nameFor(sql: string[]): string {
  const statements = sql.flatMap(parseStatements);
  for (const namesOf of NAMERS) {
    const parts = [...new Set(statements.flatMap(namesOf))];
    const [first, second] = parts;
    if (!first) continue;
    // A common prefix is not repeated: add_articles_a_and_b.
    const shared = second ? commonPrefix(first, second) : '';
    const name =
      parts.length === 1
        ? first
        : parts.length === 2 && second
          ? `${first}_and_${second.slice(shared.length)}`
          : `${first}_and_${parts.length - 1}_more`;
    return name
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '_')
      .slice(0, 70);
  }
  return 'change_schema';
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

function commonPrefix(a: string, b: string): string {
  const words = a.split('_');
  const same = words.findIndex((word, i) => word !== b.split('_')[i]);
  return same <= 0 ? '' : `${words.slice(0, same).join('_')}_`;
}
