import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Readiness } from '../../src/server/http/health.ts';
import { buildServer } from '../../src/server/server.ts';
import { nameKey } from '../../src/text/fold-case.ts';
import { emptyDatabase } from '../support/empty-database.ts';
import { namesOfEveryLetter } from '../support/every-letter.ts';
import { settings } from '../support/test-server.ts';

const LOCALES: [name: string, options: string][] = [
  ['C', "locale 'C'"],
  ['C.UTF-8', "locale 'C.UTF-8'"],
  ['tr-TR of ICU', "locale_provider icu icu_locale 'tr-TR' locale 'C'"],
];

test.each(LOCALES)('in a database with the locale %s, older tags get the same keys', async (_, options) => {
  const { orm, remove } = await emptyDatabase(`template template0 encoding 'UTF8' ${options}`);
  const execute = (sql: string, parameters: unknown[] = []) => orm.em.fork().execute<any[]>(sql, parameters);
  await orm.migrator.up({ to: 'Migration20261130100906_add_name_key_to_tags' });
  const names = JSON.stringify([...namesOfEveryLetter(), 'Straße', 'TITLE', 'İIıi']);
  await execute('insert into tags (name) select json_array_elements_text(?)', [names]);
  await orm.migrator.up();
  const rows = await execute('select name, name_key from tags');
  expect(rows.length).toBeGreaterThan(300);
  expect(rows.filter(({ name, name_key }) => name_key !== nameKey(name))).toEqual([]);
  await remove();
});

test.each(LOCALES)('in a database with the locale %s, tags and users are found ignoring case', async (_, options) => {
  const { orm, remove } = await emptyDatabase(`template template0 encoding 'UTF8' ${options}`);
  await orm.migrator.up();
  const readiness = new Readiness(orm, null, 'checked');
  const server = await buildServer({ em: orm.em, log: pino({ level: 'silent' }), settings, readiness });
  const execute = async (query: string, headers = {}) =>
    (await server.inject({ method: 'POST', url: '/graphql', payload: { query }, headers })).json().data;

  const account = '{ username: "IŞIL Straße", email: "i@example.com", password: "password123" }';
  const { register } = await execute(`mutation { register(input: ${account}) { token } }`);
  const tagList = '["Straße", "ISTANBUL", "ÄRGER", "ΟΔΥΣΣΕΥΣ", "Ёлка"]';
  const article = `{ title: "T", description: "d", body: "b", tagList: ${tagList} }`;
  await execute(`mutation { createArticle(input: ${article}) { article { slug } } }`, {
    authorization: `Token ${register.token}`,
  });
  for (const [prefix, name] of [
    ['STRASSE', 'Straße'],
    ['istan', 'ISTANBUL'],
    ['ä', 'ÄRGER'],
    ['οδυς', 'ΟΔΥΣΣΕΥΣ'],
    ['ЁЛ', 'Ёлка'],
  ])
    expect(await execute(`{ tags(prefix: "${prefix}") { nodes { name } } }`)).toEqual({ tags: { nodes: [{ name }] } });
  expect(await execute('{ user(by: { username: "işil STRASSE" }) { username } }')).toEqual({
    user: { username: 'IŞIL Straße' },
  });
  await server.close();
  await remove();
});
