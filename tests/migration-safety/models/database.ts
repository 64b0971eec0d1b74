import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { openMemoryEngine } from '../../../src/migration-safety/shadow/memory-engine.ts';
import type { Execute, Row } from '../../../src/migration-safety/sql/execute.ts';

const server = process.env.TEST_SERVER_URL ?? 'postgres://postgres@127.0.0.1:5432';

/** A database that models are built in, one after the other. */
export interface ModelDatabase {
  /** Runs one statement. */
  execute: Execute;
  /** Runs the statements of a text. */
  run: (script: string) => Promise<unknown>;
  /** Opens another one if this one is worn out. */
  renew?: () => Promise<void>;
  close: () => Promise<void>;
}

export const DATABASES = { 'in memory': inMemory, 'on a server': onTheServer };

/** Removes everything that a model made. */
export async function empty(database: ModelDatabase): Promise<void> {
  await database.renew?.();
  await database.run('drop schema if exists blog cascade; drop schema public cascade; create schema public');
}

/** Each model leaves dead rows in the catalog, which make every query of it slower. */
const MAX_MODELS = 100;

/** Most of a pair's time goes into queries of the catalog: they are prepared, and asked again only after a change. */
const CATALOG_QUERY = /^\s*select[\s\S]*\bfrom pg_/;
const KEEPS_CATALOG = /^\s*(select|insert|update|delete|savepoint|release|rollback to|set)\b/;

function remembering(database: ModelDatabase): ModelDatabase {
  const answers = new Map<string, Row[]>();
  let isChanged = false;
  return {
    ...database,
    execute: async (sql) => {
      if (sql === 'begin' || sql === 'commit') isChanged = false;
      else if (sql !== 'rollback' && !KEEPS_CATALOG.test(sql)) isChanged = true;
      if (isChanged) answers.clear();
      const rows = answers.get(sql) ?? (await database.execute(sql));
      if (CATALOG_QUERY.test(sql)) answers.set(sql, rows);
      return rows;
    },
    run: async (script) => {
      answers.clear();
      return database.run(script);
    },
  };
}

async function inMemory(): Promise<ModelDatabase> {
  let engine = await openMemoryEngine();
  let models = 0;
  const prepared = new Map<string, string>();
  const prepare = async (query: string) => {
    const name = `query_${prepared.size}`;
    await engine.exec(`prepare ${name} as ${query}`);
    prepared.set(query, name);
    return name;
  };
  return remembering({
    execute: async (sql) => {
      const name = CATALOG_QUERY.test(sql) && (prepared.get(sql) ?? (await prepare(sql)));
      // exec needs one message where query needs five.
      const [result] = await engine.exec(name ? `execute ${name}` : sql);
      return (result?.rows ?? []) as Row[];
    },
    run: (script) => engine.exec(script),
    renew: async () => {
      if (++models % MAX_MODELS > 0) return;
      await engine.close();
      engine = await openMemoryEngine();
      prepared.clear();
    },
    close: () => engine.close(),
  });
}

async function onTheServer(): Promise<ModelDatabase> {
  const admin = new Client(`${server}/postgres`);
  await admin.connect();
  const open = async () => {
    const name = `migsafe_models_${randomBytes(6).toString('hex')}`;
    await admin.query(`create database ${name}`);
    const client = new Client({ connectionString: `${server}/${name}`, options: '-c synchronous_commit=off' });
    await client.connect();
    return { name, client };
  };
  const close = async () => {
    await current.client.end();
    await admin.query(`drop database ${current.name}`);
  };
  let current = await open();
  let models = 0;
  return remembering({
    execute: async (sql) => (await current.client.query(sql)).rows,
    run: (script) => current.client.query(script),
    renew: async () => {
      if (++models % MAX_MODELS > 0) return;
      await close();
      current = await open();
    },
    close: async () => {
      await close();
      await admin.end();
    },
  });
}
