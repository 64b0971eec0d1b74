import { OptionalProps, PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { User } from '../users/user.entity.ts';
import { Article } from './article.entity.ts';

/** A favourite article of a user. */
@Entity({ tableName: 'favorites' })
@Index({ name: 'favorites_by_article', properties: ['article'] })
@Index({ name: 'favorites_by_user', properties: ['user', 'createdAt', 'article'] })
@Trigger({
  name: 'count_up',
  timing: 'after',
  events: ['insert'],
  body: 'update articles set favorites_count = favorites_count + 1 where id = new.article_id; return null;',
})
@Trigger({
  name: 'count_down',
  timing: 'after',
  events: ['delete'],
  body: 'update articles set favorites_count = favorites_count - 1 where id = old.article_id; return null;',
})
export class Favorite {
  [OptionalProps]?: 'createdAt';
  [PrimaryKeyProp]?: ['user', 'article'];

  @ManyToOne({ entity: () => User, primary: true, deleteRule: 'cascade' })
  readonly user!: User;

  @ManyToOne({ entity: () => Article, primary: true, deleteRule: 'cascade' })
  readonly article!: Article;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly createdAt!: Date;
}
