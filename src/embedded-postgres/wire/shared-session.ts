import { DATABASE } from '../data-folder/paths.ts';
import { type Engine, EngineStopped, type Outcome, type Unit } from '../engine/engine.ts';
import { dataRow, errorFields, MessageReader, query, sync } from '../protocol.ts';
import type { Traits } from './session-effects.ts';

/** What one client has set up in its session, and believes is its own. */
export interface Belongings {
  /** Settings changed by SET, set_config or the startup packet, by name. */
  settings: Map<string, string>;
  /** Parse messages of its named statements, by the name PostgreSQL knows them under. */
  statements: Map<string, Buffer>;
  /** Its last Parse of the unnamed statement. */
  unnamed: Buffer | undefined;
  /** Settings were changed in a transaction still open: how they end is known when it ends. */
  unsettled: boolean;
}

/**
 * PostgreSQL's one session, made up as the client whose turn it is left it: settings, and prepared statements that a
 * restart or another's `deallocate all` took away.
 */
export class Session {
  private applied = new Map<string, string>();
  private generation = 0;
  /** Changes when prepared statements vanish. */
  private era = 0;
  private readonly prepared = new WeakMap<Belongings, number>();
  private unnamedOf: Belongings | undefined;
  private lockHolder: Belongings | undefined;
  /** Settings that clients made up: PostgreSQL lists only its own. */
  private readonly customSettings = new Set<string>();
  /** Those whose temporary tables and the like may be there. */
  private readonly leaving = new Set<Belongings>();
  readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Makes the session `mine`. */
  async dress(mine: Belongings, { usesUnnamed, readOnly }: { usesUnnamed: boolean; readOnly: boolean }): Promise<void> {
    if (this.generation !== this.engine.generation) this.startAfresh();
    const wanted = readOnly ? new Map([...mine.settings, ...READ_ONLY]) : mine.settings;
    if (!sameSettings(this.applied, wanted)) await this.applySettings(wanted);
    if ((this.prepared.get(mine) ?? this.era) !== this.era && mine.statements.size > 0) {
      await this.ask([...mine.statements.values(), sync()]);
    }
    this.prepared.set(mine, this.era);
    if (usesUnnamed && this.unnamedOf !== mine && mine.unnamed !== undefined) await this.ask([mine.unnamed, sync()]);
    this.unnamedOf = mine;
  }

  /** Looks at what the unit that just ran left behind. */
  async undress(mine: Belongings, { status, tags }: Outcome, traits: Traits): Promise<void> {
    for (const name of traits.customSettings) this.customSettings.add(name);
    if (traits.leavesThings) this.leaving.add(mine);
    if (tags.some((tag) => tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL')) {
      this.era += 1;
      mine.statements.clear();
    }
    mine.unsettled ||= traits.mayHaveSet || tags.some((tag) => SETS.has(tag));
    if (!mine.unsettled || status === 'E') return;
    const [[readOnly] = []] = READ_ONLY;
    const isOurs = readOnly !== undefined && this.applied.has(readOnly) && !mine.settings.has(readOnly);
    mine.settings = await this.currentSettings();
    this.applied = new Map(mine.settings);
    if (isOurs) mine.settings.delete(readOnly); // the full disk's doing, not the client's wish
    mine.unsettled = status === 'T';
  }

  /**
   * Whether another client has session-level advisory locks. PostgreSQL would grant this one the same locks again, and
   * let it give the other's back: to it, both are one session.
   */
  areLocksTaken(mine: Belongings): boolean {
    if (this.generation !== this.engine.generation) this.lockHolder = undefined;
    return this.lockHolder !== undefined && this.lockHolder !== mine;
  }

  /** After a unit that named a lock function, outside of a transaction: what is locked still is locked for the session. */
  async noteLocks(mine: Belongings): Promise<void> {
    const held = await this.select("select from pg_catalog.pg_locks where locktype = 'advisory' and granted limit 1");
    this.lockHolder = held.length > 0 ? mine : undefined;
  }

  /** The messages that take back what a client leaves behind; `inTransaction`, and `locked` in it, is how it went. */
  leftoversOf(mine: Belongings, { inTransaction, locked }: { inTransaction: boolean; locked: boolean }): Buffer[] {
    const leftovers = inTransaction ? [sync(), query('rollback')] : [];
    if (inTransaction) this.applied = UNKNOWN; // the rollback takes settings back
    if (this.lockHolder === mine || locked) leftovers.push(query('select pg_catalog.pg_advisory_unlock_all()'));
    if (this.lockHolder === mine) this.lockHolder = undefined;
    // Nobody knows whose they are: they go with the last one that may have made any.
    if (this.leaving.delete(mine) && this.leaving.size === 0) {
      leftovers.push(query('close all; unlisten *; deallocate all; discard temp'));
      this.era += 1;
    }
    return leftovers;
  }

  async ask(messages: Buffer[]): Promise<(string | null)[][]> {
    const rows: (string | null)[][] = [];
    let fault: Error | undefined;
    const answers = new MessageReader();
    this.unnamedOf = undefined; // a simple query takes it away
    await this.engine.run({
      ...unitOf(messages, 0),
      onOutput: (bytes, taken) => {
        taken();
        answers.push(bytes);
        for (let answer = answers.next(); answer !== undefined; answer = answers.next()) {
          if (answer.type === 'D') rows.push(dataRow(answer.bytes));
          if (answer.type === 'E') fault ??= new SessionFault(errorFields(answer.bytes));
        }
      },
    });
    if (fault !== undefined) throw fault;
    return rows;
  }

  async select(sql: string): Promise<(string | null)[][]> {
    return await this.ask([query(sql)]);
  }

  private startAfresh(): void {
    this.applied = new Map();
    this.generation = this.engine.generation;
    this.era += 1;
    this.unnamedOf = undefined;
    this.lockHolder = undefined;
    this.leaving.clear();
  }

  private async applySettings(settings: Map<string, string>): Promise<void> {
    this.applied = UNKNOWN;
    const sets = [...settings].map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, false)`);
    await this.select(`${AS_NOBODY};${sets.length === 0 ? '' : `select ${sets.join(', ')}`}`);
    this.applied = new Map(settings);
  }

  private async currentSettings(): Promise<Map<string, string>> {
    // Who the client is comes last: it may not be one who may set the rest.
    const rows = await this.select(`
      select name, setting from pg_catalog.pg_settings where source = 'session'
      ${[...this.customSettings].map((name) => `union all ${currentValue(name)} where v <> ''`).join('\n')}
      union all select 'session_authorization', session_user where session_user <> '${DATABASE}'
      union all ${currentValue('role')} where v <> 'none'`);
    return new Map(rows.map(([name, value]) => [name ?? '', value ?? '']));
  }
}

export class SessionFault extends EngineStopped {
  constructor(fields: Record<string, string>) {
    super(fields.C ?? 'XX000', fields.M ?? 'PostgreSQL said no more than that it failed.');
  }
}

const READ_ONLY: [string, string][] = [['default_transaction_read_only', 'on']];

/** As the session is before any client. A reset would leave the user as it is: PGlite's session began without one. */
export const AS_NOBODY = `set session authorization ${DATABASE}; reset role; reset all`;

/** Settings that no client has: what is applied is to be applied anew. */
const UNKNOWN = new Map([['unknown', 'until all are applied']]);

const currentValue = (name: string) =>
  `select ${literal(name)}, v from pg_catalog.current_setting(${literal(name)}, true) v`;

/** Tags of what sets something, or may have code in it that does. */
const SETS = new Set(['SET', 'RESET', 'DISCARD ALL', 'DO', 'CALL']);

/** Messages as bytes of their own: posting a view on a shared buffer to the thread would copy all of the buffer. */
export function unitOf(messages: Buffer[], deadline: number): Omit<Unit, 'onOutput'> {
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const one of messages) {
    bytes.set(one, offset);
    offset += one.length;
  }
  return { bytes, deadline, endsReady: messages.at(-1)?.[0] !== 'H'.charCodeAt(0) };
}

function sameSettings(one: Map<string, string>, other: Map<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value);
}

export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
