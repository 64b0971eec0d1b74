import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type DatabaseError } from 'pg';

/** A write that the database refused. */
export interface FailedWrite {
  sql: string;
  /** SQLSTATE. */
  code: string;
  message: string;
  detail: string;
}

interface Column {
  table: string;
  name: string;
  is_text: boolean;
  is_required: boolean;
  is_unique: boolean;
  is_given: boolean;
}

/** The columns of the tables that have a key `id`. */
const COLUMNS = `select c.oid::regclass::text as table, quote_ident(a.attname) as name, a.attnotnull as is_required,
    a.atttypid in ('text'::regtype, 'varchar'::regtype) as is_text,
    exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and a.attnum = any (i.indkey)) as is_unique,
    a.attgenerated = '' and a.attidentity = '' and coalesce(pg_get_expr(d.adbin, d.adrelid), '') not like 'nextval%' as is_given
  from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and not c.relispartition and c.relname not like 'mikro_orm%'
    and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    and exists (select from pg_attribute k where k.attrelid = c.oid and k.attname = 'id')
  order by c.oid, a.attnum`;

const CLIENTS = 4;

/** Does the work while writers go on; returns what failed of their writes. */
export async function besideWriters(url: string, work: () => Promise<void>): Promise<FailedWrite[]> {
  const writers = await Writers.start(url);
  try {
    await work();
  } finally {
    await writers.stop();
  }
  return writers.failed;
}

/**
 * The application of before a change: four connections that together send about two hundred writes a second through the
 * columns that the tables have when they start. They set old rows to what they are, and insert, change and delete rows
 * of their own. Each transaction is rolled back, so that the tables stay as they were.
 */
class Writers {
  private stopped = false;
  private running: Promise<void>[] = [];
  readonly failed: FailedWrite[] = [];
  private written = 0;

  private constructor(
    private readonly clients: Client[],
    private readonly tables: Map<string, Column[]>,
  ) {}

  static async start(url: string): Promise<Writers> {
    const clients = Array.from({ length: CLIENTS }, () => new Client(url));
    await Promise.all(clients.map((client) => client.connect()));
    const { rows } = await (clients[0] as Client).query<Column>(COLUMNS);
    const writers = new Writers(
      clients,
      Map.groupBy(rows, ({ table }) => table),
    );
    writers.running = clients.map((client) => writers.write(client));
    await writers.everybodyWrote();
    return writers;
  }

  /** Ends them once each has written to the tables as they are now. */
  async stop(): Promise<void> {
    await this.everybodyWrote();
    this.stopped = true;
    await Promise.all(this.running);
    await Promise.all(this.clients.map((client) => client.end()));
  }

  private async everybodyWrote(): Promise<void> {
    for (const enough = this.written + 2 * CLIENTS * 4 * this.tables.size; this.written < enough; ) await sleep(20);
  }

  private async write(client: Client): Promise<void> {
    while (!this.stopped) {
      for (const [table, columns] of this.tables) {
        await client.query('begin');
        await this.writeTo(table, columns, client).catch(() => {});
        await client.query('rollback');
        await sleep((CLIENTS * 4 * 1_000) / 200);
      }
    }
  }

  private async writeTo(table: string, columns: Column[], client: Client): Promise<void> {
    await this.send(client, updateOf(table, columns));
    const insert = insertOf(table, columns);
    const [row] = insert ? await this.send(client, insert) : [];
    if (row) await this.send(client, `update ${table} set id = id where id = ${row.id}`);
    if (row) await this.send(client, `delete from ${table} where id = ${row.id}`);
    await this.send(client, 'set constraints all immediate');
  }

  private async send(client: Client, sql: string): Promise<Record<string, unknown>[]> {
    this.written++;
    try {
      return (await client.query(sql)).rows;
    } catch (error) {
      const { code = '', message, detail = '' } = error as DatabaseError;
      this.failed.push({ sql, code, message, detail });
      throw error;
    }
  }
}

/** Sets an old row to what it is. */
function updateOf(table: string, columns: Column[]): string {
  const values = columns.filter(({ is_given }) => is_given).map(({ name }) => `${name} = ${name}`);
  return `update ${table} set ${values.join(', ') || 'id = id'} where id = (select id from ${table} order by random() limit 1)`;
}

/** A row like an old one, with other values where they are or may become unique; undefined if there are none. */
function insertOf(table: string, columns: Column[]): string | undefined {
  const given = columns.filter(({ is_given }) => is_given);
  const values = given.map(({ name, is_unique, is_text, is_required }) => {
    if (is_text && (is_unique || ['name', 'title', 'slug'].includes(name))) return LETTERS;
    return is_unique ? (is_required ? undefined : 'null') : name;
  });
  if (values.includes(undefined)) return undefined;
  const names = given.map(({ name }) => name).join(', ');
  return `insert into ${table} (${names}) select ${values.join(', ')} from ${table} order by id limit 1 returning id`;
}

const LETTERS = "substr(translate(md5(random()::text), '0123456789', 'ghijklmnop'), 1, 12)";
