import { DATABASE } from '../data-folder/paths.ts';
import type { Engine, EngineRequest, EngineResult } from '../engine/engine.ts';
import { dataRow, errorFields, MessageReader, query, SqlError, sync } from '../protocol.ts';
import type { SessionEffects } from './session-effects.ts';

/** The session state of one client, restored before each of its batches. */
export interface ClientState {
  /** Settings changed by SET, set_config or the startup packet, by name. */
  settings: Map<string, string>;
  /** Parse messages of its named statements, by their names in PostgreSQL. */
  statements: Map<string, Buffer>;
  /** Its last Parse of the unnamed statement. */
  unnamed: Buffer | undefined;
  /** An open transaction changed settings: their values are known when it ends. */
  hasPendingSettings: boolean;
}

export const newClientState = (settings = new Map<string, string>()): ClientState => ({
  settings,
  statements: new Map(),
  unnamed: undefined,
  hasPendingSettings: false,
});

/**
 * PostgreSQL's one session, shared by all clients. Before a client's batch, `apply` restores the client's settings, and
 * its prepared statements if a restart or another client's `deallocate all` removed them; `capture` saves them after it.
 */
export class SharedSession {
  private applied = new Map<string, string>();
  private engineGeneration = 0;
  /** Increases whenever PostgreSQL loses its prepared statements. */
  private statementsGeneration = 0;
  private readonly preparedIn = new WeakMap<ClientState, number>();
  private unnamedOwner: ClientState | undefined;
  private lockHolder: ClientState | undefined;
  /** Custom settings of all clients: PostgreSQL lists only its own. */
  private readonly customSettings = new Set<string>();
  /** Clients that may have created temporary tables and the like. */
  private readonly objectOwners = new Set<ClientState>();

  constructor(private readonly engine: Engine) {}

  /** Makes the session that of `client`. */
  async apply(client: ClientState, { usesUnnamed, readOnly }: { usesUnnamed: boolean; readOnly: boolean }) {
    if (this.engineGeneration !== this.engine.generation) this.resetForNewEngine();
    const settings = readOnly ? new Map([...client.settings, [READ_ONLY, 'on']]) : client.settings;
    if (!areEqual(this.applied, settings)) await this.applySettings(settings);
    const isPrepared = (this.preparedIn.get(client) ?? this.statementsGeneration) === this.statementsGeneration;
    if (!isPrepared && client.statements.size > 0) await this.run([...client.statements.values(), sync()]);
    this.preparedIn.set(client, this.statementsGeneration);
    if (usesUnnamed && this.unnamedOwner !== client && client.unnamed !== undefined) {
      await this.run([client.unnamed, sync()]);
    }
    this.unnamedOwner = client;
  }

  /** Saves what the batch that just ran changed in the session. */
  async capture(client: ClientState, { status, tags }: EngineResult, effects: SessionEffects): Promise<void> {
    for (const name of effects.customSettings) this.customSettings.add(name);
    if (effects.createsSessionObjects) this.objectOwners.add(client);
    if (tags.some((tag) => tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL')) {
      this.statementsGeneration += 1;
      client.statements.clear();
    }
    client.hasPendingSettings ||= effects.maySetConfig || tags.some((tag) => SETTING_TAGS.has(tag));
    if (!client.hasPendingSettings || status === 'E') return;
    const isDiskNearlyFull = this.applied.has(READ_ONLY) && !client.settings.has(READ_ONLY);
    client.settings = await this.currentSettings();
    this.applied = new Map(client.settings);
    if (isDiskNearlyFull) client.settings.delete(READ_ONLY);
    client.hasPendingSettings = status === 'T';
  }

  /**
   * Whether another client holds session-level advisory locks. PostgreSQL, to which all clients are one session, would
   * grant this client the same locks, and let it release those of the other.
   */
  areLocksHeldByAnother(client: ClientState): boolean {
    if (this.engineGeneration !== this.engine.generation) this.lockHolder = undefined;
    return this.lockHolder !== undefined && this.lockHolder !== client;
  }

  /** After a batch that named a lock function, outside of a transaction: any lock still held is session-level. */
  async captureLocks(client: ClientState): Promise<void> {
    const held = await this.query("select from pg_catalog.pg_locks where locktype = 'advisory' and granted limit 1");
    this.lockHolder = held.length > 0 ? client : undefined;
  }

  /** Messages that clean up after a client; `usedLocks` says whether its open transaction may have taken locks. */
  cleanupOf(client: ClientState, { inTransaction, usedLocks }: { inTransaction: boolean; usedLocks: boolean }) {
    const messages = inTransaction ? [sync(), query('rollback')] : [];
    if (inTransaction) this.applied = UNKNOWN; // the rollback reverts settings
    if (this.lockHolder === client || usedLocks) messages.push(query('select pg_catalog.pg_advisory_unlock_all()'));
    if (this.lockHolder === client) this.lockHolder = undefined;
    // Their creators are not known, so they are dropped with the last client that may have created any.
    if (this.objectOwners.delete(client) && this.objectOwners.size === 0) {
      messages.push(query('close all; unlisten *; deallocate all; discard temp'));
      this.statementsGeneration += 1;
    }
    return messages;
  }

  async query(sql: string): Promise<(string | null)[][]> {
    return await this.run([query(sql)]);
  }

  async run(messages: Buffer[]): Promise<(string | null)[][]> {
    const rows: (string | null)[][] = [];
    let error: Error | undefined;
    const reader = new MessageReader();
    this.unnamedOwner = undefined; // a simple query discards the unnamed statement
    await this.engine.run({
      ...engineRequest(messages, 0),
      onOutput: (bytes, acknowledge) => {
        acknowledge();
        reader.push(bytes);
        for (let message = reader.next(); message !== undefined; message = reader.next()) {
          if (message.type === 'D') rows.push(dataRow(message.bytes));
          if (message.type === 'E') error ??= new InternalQueryError(errorFields(message.bytes));
        }
      },
    });
    if (error !== undefined) throw error;
    return rows;
  }

  private resetForNewEngine(): void {
    this.applied = new Map();
    this.engineGeneration = this.engine.generation;
    this.statementsGeneration += 1;
    this.unnamedOwner = undefined;
    this.lockHolder = undefined;
    this.objectOwners.clear();
  }

  private async applySettings(settings: Map<string, string>): Promise<void> {
    this.applied = UNKNOWN;
    const sets = [...settings].map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, false)`);
    await this.query(`${RESET_SESSION};${sets.length === 0 ? '' : `select ${sets.join(', ')}`}`);
    this.applied = new Map(settings);
  }

  private async currentSettings(): Promise<Map<string, string>> {
    // User and role come last: they may not be allowed to set the rest.
    const rows = await this.query(`
      select name, setting from pg_catalog.pg_settings where source = 'session'
      ${[...this.customSettings].map((name) => `union all ${currentValue(name)} where v <> ''`).join('\n')}
      union all select 'session_authorization', session_user where session_user <> '${DATABASE}'
      union all ${currentValue('role')} where v <> 'none'`);
    return new Map(rows.map(([name, value]) => [name ?? '', value ?? '']));
  }
}

/** PostgreSQL reported an error for a query of the server's own. */
export class InternalQueryError extends SqlError {
  constructor(fields: Record<string, string>) {
    super(fields.C ?? 'XX000', fields.M ?? 'PostgreSQL reported an error without a message.');
  }
}

const READ_ONLY = 'default_transaction_read_only';

/** The session before any client. `reset` alone would keep the user: PGlite's session started without one. */
export const RESET_SESSION = `set session authorization ${DATABASE}; reset role; reset all`;

/** Equal to no client's settings, because no setting has an empty name: the next `apply` sets them all. */
const UNKNOWN = new Map([['', '']]);

const currentValue = (name: string) =>
  `select ${literal(name)}, v from pg_catalog.current_setting(${literal(name)}, true) v`;

/** Command tags of statements that change settings, or may run code that does. */
const SETTING_TAGS = new Set(['SET', 'RESET', 'DISCARD ALL', 'DO', 'CALL']);

/** Copies the messages into bytes of their own: posting a view to the thread would copy the whole shared buffer. */
export function engineRequest(messages: Buffer[], timeout: number): Omit<EngineRequest, 'onOutput'> {
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const message of messages) {
    bytes.set(message, offset);
    offset += message.length;
  }
  return { bytes, timeout, expectsReady: messages.at(-1)?.[0] !== 'H'.charCodeAt(0) };
}

function areEqual(one: Map<string, string>, other: Map<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value);
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
