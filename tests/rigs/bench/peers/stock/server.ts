import 'reflect-metadata';
import { ApolloServer } from '@apollo/server';
import fastifyApollo from '@as-integrations/fastify';
import { MikroORM } from '@mikro-orm/postgresql';
import DataLoader from 'dataloader';
import Fastify from 'fastify';
import { buildSchema } from 'type-graphql';
import { Article, ArticleTag, Comment, Favorite, Follow, Tag, User } from './entities.ts';
import {
  ArticleResolver,
  CommentResolver,
  type Context,
  TagResolver,
  UserResolver,
  ViewerResolver,
} from './resolvers.ts';

/** The stock combination: Fastify, Apollo Server, TypeGraphQL and MikroORM with `dataloader: true`. */
const orm = await MikroORM.init({
  clientUrl: process.env.DATABASE_URL as string,
  entities: [Article, ArticleTag, Comment, Favorite, Follow, Tag, User],
  dataloader: true,
  pool: { max: 10 },
});

const schema = await buildSchema({
  resolvers: [ArticleResolver, CommentResolver, TagResolver, UserResolver, ViewerResolver],
  validate: false,
});
const apollo = new ApolloServer<Context>({ schema });
await apollo.start();

const server = Fastify();
await server.register(fastifyApollo(apollo), {
  context: async ({ headers }) => {
    const em = orm.em.fork();
    const viewer = headers['x-viewer'] ? Number(headers['x-viewer']) : null;
    return {
      em,
      viewer,
      favorited: new DataLoader(async (articles: readonly number[]) => {
        const found = await em.find(Favorite, { user: viewer ?? 0, article: { $in: [...articles] } });
        const marked = new Set(found.map(({ article }) => article.id));
        return articles.map((id) => marked.has(id));
      }),
      following: new DataLoader(async (users: readonly number[]) => {
        const found = await em.find(Follow, { follower: viewer ?? 0, followed: { $in: [...users] } });
        const followed = new Set(found.map((follow) => follow.followed.id));
        return users.map((id) => followed.has(id));
      }),
    };
  },
});
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
