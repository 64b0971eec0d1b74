import 'reflect-metadata';
import { Migrator } from '@mikro-orm/migrations';
import { defineConfig } from '@mikro-orm/postgresql';
import { Article } from './src/articles/article.entity.ts';
import { ArticleTag } from './src/articles/article-tag.entity.ts';
import { Favorite } from './src/articles/favorite.entity.ts';
import { Comment } from './src/comments/comment.entity.ts';
import { type Connection, reachDatabase } from './src/database/connecting.ts';
import { readDatabaseEnvironment } from './src/environment.ts';
import { Tag } from './src/tags/tag.entity.ts';
import { Follow } from './src/users/follow.entity.ts';
import { Session } from './src/users/session.entity.ts';
import { User } from './src/users/user.entity.ts';

/** The one ORM configuration: for the `mikro-orm` commands from the environment, for the server and tests with theirs. */
export default async () => ormConfig((await reachDatabase(readDatabaseEnvironment(), 'command')).connection);

export const ormConfig = (connection: Connection) =>
  defineConfig({
    ...connection,
    entities: [User, Follow, Session, Article, ArticleTag, Favorite, Tag, Comment],
    extensions: [Migrator],
    migrations: {
      // Beside this file, whether it runs as TypeScript or from dist.
      path: `${import.meta.dirname}/migrations`,
      pathTs: `${import.meta.dirname}/migrations`,
      // One migration that can not run in a transaction would otherwise hang, or lose its row in the log.
      allOrNothing: false,
      snapshot: false,
    },
  });
