import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { EntityMetadata } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { ormConfig } from '../../../mikro-orm.config.ts';
import { type Application, anApplication } from '../in-process.ts';
import { repository } from '../project.ts';

vi.setConfig({ testTimeout: 240_000 });

const conduit = () => ormConfig({ connection: {} } as never).entities as never[];
const RENAME = 'articles.favorites_count=likes_count';

/** The application of this repository, with a user and an article. */
async function conduitApplication(): Promise<Application> {
  const application = await (await anApplication()).become(conduit);
  cpSync(join(repository, 'migrations'), application.migrations, { recursive: true });
  await application.up();
  await application.query(
    "insert into users (username, username_key, email, email_key, password_hash) values ('ann', 'ann', 'a@b.c', 'a@b.c', 'x')",
  );
  await application.query(
    "insert into articles (slug, title, description, body, author_id) values ('one', 'One', 'First', 'Text', 1)",
  );
  await application.query('insert into favorites (user_id, article_id) values (1, 1)');
  return application;
}

/** The metadata of the entities with the column renamed, and, unless it is forgotten, the bodies of the triggers. */
const renamesCounter = (triggers: 'with its triggers' | 'without its triggers') => (meta: EntityMetadata) => {
  if (meta.className === 'Article') {
    const property = meta.properties.favoritesCount;
    if (property) Object.assign(property, { fieldName: 'likes_count', fieldNames: ['likes_count'] });
  }
  if (meta.className !== 'Favorite' || triggers === 'without its triggers') return;
  meta.triggers = meta.triggers.map((trigger) => ({
    ...trigger,
    body: String(trigger.body).replaceAll('favorites_count', 'likes_count'),
  }));
};

test('a favourite works after favoritesCount is renamed with the triggers that count', async () => {
  const application = await conduitApplication();
  await application.become(conduit, { renames: RENAME, onMetadata: renamesCounter('with its triggers') });
  const written = await application.create();
  await application.up();
  expect(await application.faults(), application.source(written)).toEqual([]);
  const likes = () => application.query('select likes_count from articles');
  expect(await likes()).toEqual([{ likes_count: 1 }]);
  await application.query('delete from favorites');
  expect(await likes()).toEqual([{ likes_count: 0 }]);
  await application.query('insert into favorites (user_id, article_id) values (1, 1)');
  expect(await likes()).toEqual([{ likes_count: 1 }]);
  expect(await application.create()).toEqual([]);
  expect(await application.roundTripFaults()).toEqual([]);
});

test('favoritesCount is not renamed without the triggers that count', async () => {
  const application = await conduitApplication();
  await application.become(conduit, { renames: RENAME, onMetadata: renamesCounter('without its triggers') });
  const files = application.files();
  await expect(application.create()).rejects.toThrow(/favorites_count_(up|down)_fn/);
  expect(application.files()).toEqual(files);
  await application.query('delete from favorites');
  expect(await application.query('select favorites_count from articles')).toEqual([{ favorites_count: 0 }]);
});
