import type { Migrator } from '../migrator.ts';
import { findMigration } from './targets.ts';

/** `migration:log`: records a migration as applied without running it, with the checksum it would have had. */
export async function recordByHand(migrator: Migrator, name: string): Promise<void> {
  const files = await migrator.readAll();
  const names = files.map((file) => file.name);
  const known = findMigration(name, names, '--name');
  const { checksum = '', source = '' } = files.find((file) => file.name === known) ?? {};
  await migrator.exclusively(async () => {
    const { storage } = migrator.parts;
    const rows = (await storage.rows()) ?? [];
    if (rows.some((row) => row.name === known)) return migrator.tell(`${known} is recorded already; nothing to do`);
    storage.record = { checksum, source, appVersion: migrator.settings.appVersion };
    await storage.logMigration({ name: known });
  });
}

/** `migration:unlog`: forgets that a migration was applied, without reverting it. */
export async function forgetByHand(migrator: Migrator, name: string): Promise<void> {
  const executed = ((await migrator.history()) ?? []).map((row) => row.name);
  const known = findMigration(name, executed, '--name');
  await migrator.exclusively(() => migrator.parts.storage.unlogMigration({ name: known }));
}
