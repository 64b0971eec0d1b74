import { Collection, PrimaryKeyProp, type Ref } from '@mikro-orm/core';
import { Entity, ManyToMany, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';

/** The entities of the stock server, which are GraphQL types too, as in the manuals of both libraries. */

@ObjectType()
@Entity({ tableName: 'users' })
export class User {
  @PrimaryKey({ type: 'integer' })
  id!: number;

  @Field(() => String)
  @Property({ type: 'text' })
  username!: string;

  @Property({ type: 'text' })
  usernameKey!: string;

  @Field(() => String, { nullable: true })
  @Property({ type: 'text', nullable: true })
  bio!: string | null;

  @Field(() => String, { nullable: true })
  @Property({ type: 'text', nullable: true })
  image!: string | null;
}

@Entity({ tableName: 'follows' })
export class Follow {
  [PrimaryKeyProp]?: ['follower', 'followed'];

  @ManyToOne({ entity: () => User, primary: true, ref: true })
  follower!: Ref<User>;

  @ManyToOne({ entity: () => User, primary: true, ref: true })
  followed!: Ref<User>;
}

@ObjectType()
@Entity({ tableName: 'tags' })
export class Tag {
  @PrimaryKey({ type: 'integer' })
  id!: number;

  @Field(() => String)
  @Property({ type: 'text' })
  name!: string;

  @Field(() => Int)
  @Property({ type: 'integer', default: 0 })
  articlesCount!: number;
}

@ObjectType()
@Entity({ tableName: 'articles' })
export class Article {
  @PrimaryKey({ type: 'integer' })
  id!: number;

  @Field(() => String)
  @Property({ type: 'text' })
  slug!: string;

  @Field(() => String)
  @Property({ type: 'text' })
  title!: string;

  @Field(() => String)
  @Property({ type: 'text' })
  description!: string;

  @Field(() => String)
  @Property({ type: 'text' })
  body!: string;

  @Property({ type: 'text', default: 'PUBLISHED' })
  status = 'PUBLISHED';

  @ManyToOne({ entity: () => User, ref: true })
  author!: Ref<User>;

  @ManyToMany({ entity: () => Tag, pivotEntity: () => ArticleTag, fixedOrder: true, fixedOrderColumn: 'position' })
  tags = new Collection<Tag>(this);

  @Field(() => Date)
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  createdAt!: Date;

  @Field(() => Date)
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  updatedAt!: Date;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  publishedAt!: Date;

  @Field(() => Int)
  @Property({ type: 'integer', default: 0 })
  favoritesCount!: number;
}

@Entity({ tableName: 'article_tags' })
export class ArticleTag {
  @PrimaryKey({ type: 'integer' })
  position!: number;

  @ManyToOne({ entity: () => Article, ref: true })
  article!: Ref<Article>;

  @ManyToOne({ entity: () => Tag, ref: true })
  tag!: Ref<Tag>;
}

@Entity({ tableName: 'favorites' })
export class Favorite {
  [PrimaryKeyProp]?: ['user', 'article'];

  @ManyToOne({ entity: () => User, primary: true, ref: true })
  user!: Ref<User>;

  @ManyToOne({ entity: () => Article, primary: true, ref: true })
  article!: Ref<Article>;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  createdAt!: Date;
}

@ObjectType()
@Entity({ tableName: 'comments' })
export class Comment {
  @PrimaryKey({ type: 'integer' })
  id!: number;

  @Field(() => String)
  @Property({ type: 'text' })
  body!: string;

  @ManyToOne({ entity: () => Article, ref: true })
  article!: Ref<Article>;

  @ManyToOne({ entity: () => User, ref: true })
  author!: Ref<User>;

  @Field(() => Date)
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  createdAt!: Date;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  updatedAt!: Date;
}
