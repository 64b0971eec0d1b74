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
  /** Opens another engine if this one is worn out. */
  renew?: () => Promise<void>;
  close: () => Promise<void>;
}

export const DATABASES = { 'in memory': inMemory, 'on a server': onTheServer };

/** Removes everything that a model made. */
export async function empty(database: ModelDatabase): Promise<void> {
  await database.renew?.();
  await database.run('drop schema if exists blog cascade; drop schema public cascade; create schema public');
}

/** PGlite's stack grows with each error, until every statement fails with "stack depth limit exceeded". */
const MAX_ERRORS = 500;

async function inMemory(): Promise<ModelDatabase> {
  let engine = await openMemoryEngine();
  let errors = 0;
  const counted = <T>(result: Promise<T>) =>
    result.catch((error) => {
      errors++;
      throw error;
    });
  return {
    execute: async (sql) => (await counted(engine.query<Row>(sql))).rows,
    run: (script) => counted(engine.exec(script)),
    renew: async () => {
      if (errors < MAX_ERRORS) return;
      await engine.close();
      engine = await openMemoryEngine();
      errors = 0;
    },
    close: () => engine.close(),
  };
}

async function onTheServer(): Promise<ModelDatabase> {
  const name = `migsafe_models_${randomBytes(6).toString('hex')}`;
  const admin = new Client(`${server}/postgres`);
  await admin.connect();
  await admin.query(`create database ${name}`);
  const client = new Client(`${server}/${name}`);
  await client.connect();
  return {
    execute: async (sql) => (await client.query(sql)).rows,
    run: (script) => client.query(script),
    close: async () => {
      await client.end();
      await admin.query(`drop database ${name}`);
      await admin.end();
    },
  };
}
