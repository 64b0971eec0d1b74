import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'conduit-migrate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const migrate = (variables: NodeJS.ProcessEnv) =>
  new Promise<{ code: number; said: string }>((done) => {
    const env = { ...process.env, DATABASE_URL: '', DB_HOST: '', DATA_FOLDER: folder, ...variables };
    const command = ['--import', '@oxc-node/core/register', 'src/migrate.ts'];
    const child = execFile('node', command, { env }, (_, out, errors) =>
      done({ code: child.exitCode ?? -1, said: out + errors }),
    );
  });

test('applies pending migrations once, without the CLI or a SECRET_KEY', async () => {
  const names = readdirSync('migrations').filter((file) => file.startsWith('Migration'));
  const { code, said } = await migrate({ NODE_ENV: 'production' });
  expect(said.match(/(?<=Applied ')\w+/g)).toEqual(names.toSorted().map((file) => file.replace('.ts', '')));
  expect(said).toMatch(/Every migration is applied now\.\n$/);
  expect(code).toBe(0);
  expect(await migrate({})).toEqual({ code: 0, said: 'Every migration was applied already.\n' });
});

test('exits with the code of the error, and does not print the password', async () => {
  const { code, said } = await migrate({ DATABASE_URL: 'postgresql://ann:hunter22@127.0.0.1:1/conduit' });
  expect(code).toBe(40);
  expect(said).toMatch(/^Cannot use the database conduit at 127\.0\.0\.1:1 as ann: nothing listens there/);
  expect(said).not.toContain('hunter22');
});

test('names an invalid variable', async () => {
  expect(await migrate({ DATABASE_URL: 'mysql://localhost' })).toMatchObject({
    code: 1,
    said: expect.stringMatching(/^Invalid environment variables:\n {2}DATABASE_URL must be a URL such as postgresql:/),
  });
});
