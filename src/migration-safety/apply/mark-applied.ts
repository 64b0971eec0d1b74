import type { MigratorParts } from '../migrator-parts.ts';
import { findMigration } from './targets.ts';

/** `migration:log`: records a migration as applied without running it, with its checksum. */
export async function markApplied(migrator: MigratorParts, text: string): Promise<void> {
  const files = await migrator.readMigrations();
  const names = files.map((file) => file.name);
  const name = findMigration(text, names, '--name');
  const { checksum = '', source = '' } = files.find((file) => file.name === name) ?? {};
  await migrator.withLock(async () => {
    const { storage } = migrator;
    const rows = (await storage.rows()) ?? [];
    if (rows.some((row) => row.name === name)) return migrator.log(`${name} is recorded already; nothing to do`);
    storage.record = { checksum, source, appVersion: migrator.settings.appVersion };
    await storage.logMigration({ name });
  });
}

/** `migration:unlog`: removes a migration from the tracking table without reverting it. */
export async function unmarkApplied(migrator: MigratorParts, text: string): Promise<void> {
  const executed = ((await migrator.history()) ?? []).map((row) => row.name);
  const name = findMigration(text, executed, '--name');
  await migrator.withLock(() => migrator.storage.unlogMigration({ name }));
}
