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
  close: () => Promise<void>;
}

export const DATABASES = { 'in memory': inMemory, 'on a server': onTheServer };

/** Removes everything that a model made. */
export async function empty(database: ModelDatabase): Promise<void> {
  await database.run('drop schema if exists blog cascade; drop schema public cascade; create schema public');
}

async function inMemory(): Promise<ModelDatabase> {
  const engine = await openMemoryEngine();
  return {
    execute: async (sql) => (await engine.query<Row>(sql)).rows,
    run: (script) => engine.exec(script),
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
