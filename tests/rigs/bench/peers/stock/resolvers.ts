import type { EntityManager } from '@mikro-orm/postgresql';
import type DataLoader from 'dataloader';
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { Article, Comment, Favorite, Follow, Tag, User } from './entities.ts';

/**
 * The part of the product's API that the bench uses, as is usual with TypeGraphQL: a field resolver for every relation,
 * MikroORM's dataloaders, and one more dataloader for each flag.
 */
export interface Context {
  em: EntityManager;
  viewer: number | null;
  favorited: DataLoader<number, boolean>;
  following: DataLoader<number, boolean>;
}

@ObjectType()
class ArticleConnection {
  @Field(() => [Article])
  nodes!: Article[];
}

@ObjectType()
class CommentConnection {
  @Field(() => [Comment])
  nodes!: Comment[];
}

@ObjectType()
class TagConnection {
  @Field(() => [Tag])
  nodes!: Tag[];
}

@ObjectType()
class Viewer {
  @Field(() => User)
  user!: User;
}

@ObjectType()
class ArticlePayload {
  @Field(() => Article)
  article!: Article;
}

@ObjectType()
class CommentPayload {
  @Field(() => Comment)
  comment!: Comment;
}

@InputType()
class ArticleBy {
  @Field(() => String)
  slug!: string;
}

@InputType()
class UserBy {
  @Field(() => String)
  username!: string;
}

@InputType()
class ArticleInput {
  @Field(() => ArticleBy)
  article!: ArticleBy;
}

@InputType()
class CreateArticleInput {
  @Field(() => String)
  title!: string;

  @Field(() => String)
  description!: string;

  @Field(() => String)
  body!: string;

  @Field(() => [String])
  tagList!: string[];
}

@InputType()
class AddCommentInput {
  @Field(() => ArticleBy)
  article!: ArticleBy;

  @Field(() => String)
  body!: string;
}

const newest = { publishedAt: 'desc', id: 'desc' } as const;

@Resolver(() => Article)
export class ArticleResolver {
  @Query(() => ArticleConnection)
  async articles(@Arg('first', () => Int) first: number, @Ctx() { em }: Context): Promise<ArticleConnection> {
    return { nodes: await em.find(Article, { status: 'PUBLISHED' }, { orderBy: newest, limit: first }) };
  }

  @Query(() => Article, { nullable: true })
  article(@Arg('by', () => ArticleBy) { slug }: ArticleBy, @Ctx() { em }: Context): Promise<Article | null> {
    return em.findOne(Article, { slug });
  }

  @FieldResolver(() => User)
  author(@Root() article: Article): Promise<User> {
    return article.author.loadOrFail();
  }

  @FieldResolver(() => [String])
  async tagList(@Root() article: Article): Promise<string[]> {
    return (await article.tags.loadItems()).map(({ name }) => name);
  }

  @FieldResolver(() => Boolean)
  viewerHasFavorited(@Root() article: Article, @Ctx() { favorited }: Context): Promise<boolean> {
    return favorited.load(article.id);
  }

  @FieldResolver(() => CommentConnection)
  async comments(
    @Root() article: Article,
    @Arg('first', () => Int) first: number,
    @Ctx() { em }: Context,
  ): Promise<CommentConnection> {
    return { nodes: await em.find(Comment, { article }, { orderBy: { createdAt: 'asc', id: 'asc' }, limit: first }) };
  }

  @Mutation(() => ArticlePayload)
  async createArticle(
    @Arg('input', () => CreateArticleInput) { tagList, ...content }: CreateArticleInput,
    @Ctx() { em, viewer }: Context,
  ): Promise<ArticlePayload> {
    const wanted = content.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    const taken = await em.count(Article, { slug: wanted });
    const slug = taken ? `${wanted}-${crypto.randomUUID().slice(0, 8)}` : wanted;
    const tags = await em.find(Tag, { name: { $in: tagList } });
    const author = em.getReference(User, Number(viewer), { wrapped: true });
    const article = em.create(Article, { ...content, slug, author } as never);
    article.tags.set(
      tagList.map((name) => tags.find((tag) => tag.name === name) ?? em.create(Tag, { name, articlesCount: 0 })),
    );
    await em.flush();
    return { article };
  }

  @Mutation(() => ArticlePayload)
  async favoriteArticle(
    @Arg('input', () => ArticleInput) { article: { slug } }: ArticleInput,
    @Ctx() { em, viewer }: Context,
  ): Promise<ArticlePayload> {
    const article = await em.findOneOrFail(Article, { slug });
    const mark = { user: Number(viewer), article };
    if (!(await em.findOne(Favorite, mark))) {
      em.create(Favorite, mark as never);
      await em.flush();
      await em.refresh(article);
    }
    return { article };
  }
}

@Resolver(() => Comment)
export class CommentResolver {
  @FieldResolver(() => User)
  author(@Root() comment: Comment): Promise<User> {
    return comment.author.loadOrFail();
  }

  @Mutation(() => CommentPayload)
  async addComment(
    @Arg('input', () => AddCommentInput) { article: { slug }, body }: AddCommentInput,
    @Ctx() { em, viewer }: Context,
  ): Promise<CommentPayload> {
    const article = await em.findOneOrFail(Article, { slug });
    const comment = em.create(Comment, { article, author: Number(viewer), body } as never);
    await em.flush();
    return { comment };
  }
}

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, { nullable: true })
  user(@Arg('by', () => UserBy) { username }: UserBy, @Ctx() { em }: Context): Promise<User | null> {
    return em.findOne(User, { usernameKey: username });
  }

  @FieldResolver(() => Boolean)
  viewerIsFollowing(@Root() user: User, @Ctx() { following }: Context): Promise<boolean> {
    return following.load(user.id);
  }

  @FieldResolver(() => Int)
  followersCount(@Root() user: User, @Ctx() { em }: Context): Promise<number> {
    return em.count(Follow, { followed: user });
  }

  @FieldResolver(() => Int)
  followingCount(@Root() user: User, @Ctx() { em }: Context): Promise<number> {
    return em.count(Follow, { follower: user });
  }

  @FieldResolver(() => Int)
  articlesCount(@Root() user: User, @Ctx() { em }: Context): Promise<number> {
    return em.count(Article, { author: user, status: 'PUBLISHED' });
  }

  @FieldResolver(() => ArticleConnection)
  async articles(
    @Root() author: User,
    @Arg('first', () => Int) first: number,
    @Ctx() { em }: Context,
  ): Promise<ArticleConnection> {
    return { nodes: await em.find(Article, { author, status: 'PUBLISHED' }, { orderBy: newest, limit: first }) };
  }

  @FieldResolver(() => ArticleConnection)
  async favorites(
    @Root() user: User,
    @Arg('first', () => Int) first: number,
    @Ctx() { em }: Context,
  ): Promise<ArticleConnection> {
    const orderBy = { createdAt: 'desc', article: { id: 'desc' } } as const;
    const favorites = await em.find(Favorite, { user }, { orderBy, limit: first });
    return { nodes: await Promise.all(favorites.map(({ article }) => article.loadOrFail())) };
  }
}

@Resolver(() => Viewer)
export class ViewerResolver {
  @Query(() => Viewer, { nullable: true })
  async viewer(@Ctx() { em, viewer }: Context): Promise<Viewer | null> {
    return viewer === null ? null : { user: await em.findOneOrFail(User, viewer) };
  }

  @FieldResolver(() => ArticleConnection)
  async feed(
    @Root() { user }: Viewer,
    @Arg('first', () => Int) first: number,
    @Ctx() { em }: Context,
  ): Promise<ArticleConnection> {
    const follows = await em.find(Follow, { follower: user });
    const authors = follows.map(({ followed }) => followed.id);
    return {
      nodes: await em.find(
        Article,
        { author: { $in: authors }, status: 'PUBLISHED' },
        { orderBy: newest, limit: first },
      ),
    };
  }
}

@Resolver(() => Tag)
export class TagResolver {
  @Query(() => TagConnection)
  async tags(@Arg('first', () => Int) first: number, @Ctx() { em }: Context): Promise<TagConnection> {
    return { nodes: await em.find(Tag, {}, { orderBy: { articlesCount: 'desc', id: 'desc' }, limit: first }) };
  }
}
