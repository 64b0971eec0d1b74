import { Arg, Args, Authorized, Ctx, Extensions, Mutation, Query, Resolver } from 'type-graphql';
import type { SignedInContext } from '../auth/context.ts';
import { globalId } from '../graphql/node.ts';
import { Refusal, ResourceKind, requirePermission, StaleVersionError } from '../graphql/user-errors.ts';
import { validate } from '../graphql/validation.ts';
import { renderBody } from '../markdown/markdown.ts';
import { one, page, type ReadPlan } from '../reading/read-plan.ts';
import { SCAN_COST } from '../reading/scan-cost.ts';
import { insertTags, linkTags, lockTagsOfArticle } from '../tags/tag.repository.ts';
import { createOnce } from '../users/create-once.ts';
import { User } from '../users/user.entity.ts';
import { ArticleConnection } from './article.connection.ts';
import { Article } from './article.entity.ts';
import {
  ArticleBy,
  ArticleInput,
  ArticleListArgs,
  articleChangeRules,
  CreateArticleInput,
  newArticleRules,
  UpdateArticleInput,
} from './article.input.ts';
import { ARTICLE_RENDERING } from './article.limits.ts';
import { ArticlePayload, DeleteArticlePayload } from './article.payload.ts';
import { canDeleteArticle, canUpdateArticle } from './article.policy.ts';
import {
  articleReference,
  articleSlug,
  articleWhere,
  findArticleId,
  lockArticle,
  replaceTags,
  slugAfter,
} from './article.repository.ts';
import { ArticleStatus } from './article-status.ts';
import { Favorite } from './favorite.entity.ts';
import { articleFilterConditions, articleListParts } from './lists/article.lists.ts';

@Resolver()
export class ArticleResolver {
  @Query(() => Article, { nullable: true, description: 'Null when there is none, or a draft of somebody else.' })
  article(@Arg('by', () => ArticleBy, { description: 'Which one.' }) by: ArticleBy): ReadPlan {
    return one(Article, articleWhere(by));
  }

  @Extensions({ scanCost: SCAN_COST.table })
  @Query(() => ArticleConnection, { description: 'Published articles, newest first unless ordered otherwise.' })
  articles(@Args(() => ArticleListArgs) args: ArticleListArgs): ReadPlan {
    return page(Article, {
      ...articleListParts(args),
      where: (article) => articleFilterConditions(article, args.filter),
    });
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => ArticlePayload, { nullable: true, description: 'Publishes an article, or keeps it as a draft.' })
  async createArticle(
    @Arg('input', () => CreateArticleInput, { description: 'What it says.' }) input: CreateArticleInput,
    @Ctx() context: SignedInContext,
  ): Promise<ArticlePayload> {
    const { em, viewer, reads } = context;
    const { idempotencyKey: key, ...asked } = validate(newArticleRules, input);
    const request = { userId: viewer.id, key, asked, entity: Article, kind: ResourceKind.ARTICLE };
    const { tagList, ...content } = asked;
    const id = await reads.nextId('articles');
    const article = await createOnce(em, request, {
      prepare: () => renderBody(content.body, ARTICLE_RENDERING),
      async create(em, body) {
        const author = em.getReference(User, viewer.id);
        const slug = articleSlug(content.title, content.status === ArticleStatus.PUBLISHED);
        const article = Object.assign(new Article(author, { ...content, body, slug }), { id });
        await insertTags(em, tagList);
        await em.persist(article).flush();
        await linkTags(em, article, tagList);
        return article;
      },
    });
    return { article };
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => ArticlePayload, { nullable: true, description: "Changes one of the viewer's own articles." })
  async updateArticle(
    @Arg('input', () => UpdateArticleInput, { description: 'What changes.' }) input: UpdateArticleInput,
    @Ctx() context: SignedInContext,
  ): Promise<ArticlePayload> {
    const id = await findArticleId(context, input.article);
    // Before the lock, since rendering takes a while. What is wrong with the input is said below, to authors only.
    const { success, data } = newArticleRules.shape.body.safeParse(input.body);
    const rendering = success ? renderBody(data, ARTICLE_RENDERING) : undefined;
    await Promise.allSettled([rendering]);
    const isSlugKept = input.title == null && input.status == null;
    return context.em.transactional(async (em) => {
      const article = await lockArticle(em, id, isSlugKept ? 'change' : 'change the slug');
      requirePermission(canUpdateArticle(context.viewer, article), ResourceKind.ARTICLE);
      requireVersion(article, input.expectedVersion);
      const { tagList, body: _source, ...others } = validate(articleChangeRules, input);
      const body = await rendering;
      const changes = { ...others, ...(body && { body }) };
      const hasNewTags = tagList !== undefined && (await replaceTags(em, article, tagList));
      const changed = { ...changes, ...slugAfter(article, changes) };
      if (hasNewTags || article.differsFrom(changed)) article.change(changed);
      return { article };
    });
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => DeleteArticlePayload, {
    nullable: true,
    description: "Deletes one of the viewer's own articles, with its comments and favourites.",
  })
  async deleteArticle(
    @Arg('input', () => ArticleInput, { description: 'Which one.' }) input: ArticleInput,
    @Ctx() context: SignedInContext,
  ): Promise<DeleteArticlePayload> {
    const id = await findArticleId(context, input.article);
    return context.em.transactional(async (em) => {
      const article = await lockArticle(em, id, 'delete');
      requirePermission(canDeleteArticle(context.viewer, article), ResourceKind.ARTICLE);
      await lockTagsOfArticle(em, article);
      em.remove(article);
      return { deletedId: globalId('Article', article.id), deletedSlug: article.slug };
    });
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => ArticlePayload, {
    nullable: true,
    description: 'Marks an article as a favourite. Doing it again changes nothing.',
  })
  async favoriteArticle(
    @Arg('input', () => ArticleInput, { description: 'Which one.' }) input: ArticleInput,
    @Ctx() context: SignedInContext,
  ): Promise<ArticlePayload> {
    const { em, viewer } = context;
    const article = await articleReference(context, input.article);
    await em.createQueryBuilder(Favorite).insert({ user: viewer.id, article }).onConflict().ignore().execute();
    return { article };
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => ArticlePayload, {
    nullable: true,
    description: 'Takes the mark of a favourite away. Doing it again changes nothing.',
  })
  async unfavoriteArticle(
    @Arg('input', () => ArticleInput, { description: 'Which one.' }) input: ArticleInput,
    @Ctx() context: SignedInContext,
  ): Promise<ArticlePayload> {
    const { em, viewer } = context;
    const article = await articleReference(context, input.article);
    await em.nativeDelete(Favorite, { user: viewer.id, article });
    return { article };
  }
}

function requireVersion({ version }: Article, expected: number | null | undefined): void {
  if (expected == null || expected === version) return;
  throw new Refusal(new StaleVersionError(version, ['input', 'expectedVersion']));
}
