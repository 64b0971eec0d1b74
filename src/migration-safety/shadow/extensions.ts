import type { MigrationFile } from '../history/migration-file.ts';
import { parseStatements } from '../sql/statements.ts';
import type { Extensions } from './packed-databases.ts';

/** The extensions that the migrations create: those that the in-memory engine has, and the names of the others. */
export async function readExtensions(files: MigrationFile[]): Promise<{ available: Extensions; missing: string[] }> {
  const names = files.flatMap(({ up }) =>
    up.flatMap(({ kind, tree }) => (kind === 'CreateExtensionStmt' ? [String(tree.extname)] : [])),
  );
  const available: Extensions = {};
  const missing: string[] = [];
  for (const name of new Set(names)) {
    if (name === 'plpgsql') continue;
    const module = await import(`@electric-sql/pglite/contrib/${name.replaceAll('-', '_')}`).catch(() => ({}));
    const extension = Object.values(module)[0];
    if (extension) available[name.replaceAll('-', '_')] = extension as never;
    else missing.push(name);
  }
  return { available, missing };
}

/** Whether the statement creates, changes or drops one of these extensions. */
export function concernsExtension(sql: string, names: string[]): boolean {
  if (names.length === 0 || !/\bextension\b/i.test(sql)) return false;
  const [{ kind, tree } = { kind: '', tree: {} }] = parseStatements(sql);
  if (kind === 'DropStmt' && tree.removeType === 'OBJECT_EXTENSION')
    return tree.objects.some((object: { String?: { sval: string } }) => names.includes(object.String?.sval ?? ''));
  if (kind === 'CommentStmt' && tree.objtype === 'OBJECT_EXTENSION') return names.includes(tree.object.String?.sval);
  return /^(Create|Alter)Extension/.test(kind) && names.includes(tree.extname);
}
