import { ArgsType, Extensions, Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { z } from 'zod';
import { DateTime } from '../graphql/scalars.ts';
import { UserErrorCode } from '../graphql/user-errors.ts';
import { formatLimit, line, name, optionalUrl, text } from '../graphql/validation.ts';
import { OrderDirection, PageArgs } from '../reading/page-args.ts';
import { TAG_LIMITS } from '../tags/tag.limits.ts';
import { describeIdempotencyKey, idempotencyKey } from '../users/create-once.ts';
import { ARTICLE_LIMITS } from './article.limits.ts';
import { ArticleStatus } from './article-status.ts';

@InputType({ description: 'Which article: exactly one of the keys.' })
@Extensions({ oneOf: true })
export class ArticleBy {
  @Field(() => ID, { nullable: true, description: 'Its opaque id.' })
  id?: string;

  @Field(() => String, { nullable: true, description: 'Its slug.' })
  slug?: string;
}

@InputType({ description: 'An article to act on.' })
export class ArticleInput {
  @Field(() => ArticleBy, { description: 'Which one.' })
  article!: ArticleBy;
}

@InputType({ description: 'What articles a list holds: those for which all that is given is true.' })
export class ArticleFilter {
  @Field(() => String, { nullable: true, description: 'Carries this tag.' })
  tag?: string | null;

  @Field(() => String, { nullable: true, description: 'Username of its author, ignoring case.' })
  author?: string | null;

  @Field(() => String, { nullable: true, description: 'Username of somebody who has favourited it, ignoring case.' })
  favoritedBy?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Full-text search in title, description, tags and body: all words, `"a phrase"`, `-without` a word, one word `or` another. Ignored if it is blank.',
  })
  query?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: `Carries at least one of these tags, at most ${ARTICLE_LIMITS.tagsInFilter}.`,
  })
  tagsAny?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: `Carries each of these tags, at most ${ARTICLE_LIMITS.tagsInFilter}.`,
  })
  tagsAll?: string[] | null;

  @Field(() => DateTime, { nullable: true, description: 'Published later than this.' })
  publishedAfter?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Published earlier than this.' })
  publishedBefore?: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Changed later than this. An article that never changed counts from when it was published.',
  })
  updatedAfter?: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Changed earlier than this. An article that never changed counts from when it was published.',
  })
  updatedBefore?: Date | null;
}

export enum ArticleOrderField {
  PUBLISHED_AT = 'PUBLISHED_AT',
  UPDATED_AT = 'UPDATED_AT',
  FAVORITES_COUNT = 'FAVORITES_COUNT',
  COMMENTS_COUNT = 'COMMENTS_COUNT',
  READ_COUNT = 'READ_COUNT',
  TITLE = 'TITLE',
  RELEVANCE = 'RELEVANCE',
}

registerEnumType(ArticleOrderField, {
  name: 'ArticleOrderField',
  description: 'What articles are ordered by. Ties are broken by id, so that paging loses none.',
  valuesConfig: {
    PUBLISHED_AT: { description: 'When readers could first see it.' },
    UPDATED_AT: { description: 'When its author last changed it.' },
    FAVORITES_COUNT: { description: 'How many users have favourited it.' },
    COMMENTS_COUNT: { description: 'How many comments it has.' },
    READ_COUNT: { description: 'How often it was read.' },
    TITLE: { description: 'Its title, by letters: case and accents only decide between equal letters.' },
    RELEVANCE: {
      description:
        'How well it matches the query of the filter: what matches in its title first. A list of more than 500 matches, or, in a large blog, of words that are frequent among the newest articles, holds only some of them.',
    },
  },
});

@InputType({ description: 'An order of articles.' })
export class ArticleOrder {
  @Field(() => ArticleOrderField, { description: 'What to order by.' })
  field!: ArticleOrderField;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.DESC, description: 'Which end comes first.' })
  direction!: OrderDirection;
}

@ArgsType()
export class ArticleOrderArgs extends PageArgs {
  @Field(() => ArticleOrder, {
    nullable: true,
    description: 'Newest first unless given, or by relevance if the filter has a query.',
  })
  orderBy?: ArticleOrder | null;
}

@ArgsType()
export class ArticleListArgs extends ArticleOrderArgs {
  @Field(() => ArticleFilter, { nullable: true, description: 'Only articles for which this holds.' })
  filter?: ArticleFilter | null;
}

@InputType({ description: 'A new article.' })
export class CreateArticleInput {
  @Field(() => String, { description: `One line of at most ${ARTICLE_LIMITS.title} characters. Need not be unique.` })
  title!: string;

  @Field(() => String, { description: `At most ${ARTICLE_LIMITS.description} characters.` })
  description!: string;

  @Field(() => String, { description: `Markdown, at most ${formatLimit(ARTICLE_LIMITS.body)} characters.` })
  body!: string;

  @Field(() => [String], {
    defaultValue: [],
    nullable: true,
    description: `At most ${ARTICLE_LIMITS.tags} tags of at most ${TAG_LIMITS.name} visible characters. Order is kept, white space around them and duplicates are dropped.`,
  })
  tagList?: string[] | null;

  @Field(() => ArticleStatus, {
    defaultValue: ArticleStatus.PUBLISHED,
    nullable: true,
    description: 'Whether it is published at once, as in RealWorld, or kept as a draft.',
  })
  status?: ArticleStatus | null;

  @Field(() => String, {
    nullable: true,
    description: `Absolute http(s) URL, at most ${formatLimit(ARTICLE_LIMITS.coverImage)} characters.`,
  })
  coverImage?: string | null;

  @Field(() => String, { nullable: true, description: describeIdempotencyKey('article') })
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'An absent field stays as it is; null is a ValidationError, except for coverImage; tagList: [] removes all tags.',
})
export class UpdateArticleInput {
  @Field(() => ArticleBy, { description: 'Which one.' })
  article!: ArticleBy;

  @Field(() => String, {
    nullable: true,
    description: `One line of at most ${ARTICLE_LIMITS.title} characters. Another title makes another slug, unless both titles make the same one.`,
  })
  title?: string | null;

  @Field(() => String, { nullable: true, description: `At most ${ARTICLE_LIMITS.description} characters.` })
  description?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `Markdown, at most ${formatLimit(ARTICLE_LIMITS.body)} characters.`,
  })
  body?: string | null;

  @Field(() => [String], { nullable: true, description: 'All the tags it carries from now on, in their order.' })
  tagList?: string[] | null;

  @Field(() => ArticleStatus, {
    nullable: true,
    description:
      'PUBLISHED shows it to everyone, DRAFT takes it back. Publishing makes the slug of the title, and the first time `publishedAt`.',
  })
  status?: ArticleStatus | null;

  @Field(() => String, {
    nullable: true,
    description: `Absolute http(s) URL, at most ${formatLimit(ARTICLE_LIMITS.coverImage)} characters. Null or "" removes it.`,
  })
  coverImage?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'The `version` that the change is made to. When it has another by now, nothing changes: StaleVersionError.',
  })
  expectedVersion?: number | null;
}

const tagList = z
  .array(
    z
      .string()
      .transform((typed) => typed.trim())
      .pipe(name(TAG_LIMITS.name)),
  )
  .transform((names) => [...new Set(names)])
  .refine((names) => names.length <= ARTICLE_LIMITS.tags, {
    error: `has too many items (maximum is ${ARTICLE_LIMITS.tags})`,
    params: { code: UserErrorCode.TOO_MANY, limit: ARTICLE_LIMITS.tags },
  });

const status = z.enum(ArticleStatus);

const coverImage = optionalUrl(ARTICLE_LIMITS.coverImage);

const articleRules = z.object({
  title: line(ARTICLE_LIMITS.title),
  description: text(ARTICLE_LIMITS.description),
  body: text(ARTICLE_LIMITS.body),
  tagList: tagList.nullish().transform((names) => names ?? []),
  coverImage: coverImage.optional(),
  status: status.nullish().transform((given) => given ?? ArticleStatus.PUBLISHED),
});

export const newArticleRules = articleRules.extend({ idempotencyKey });

export const articleChangeRules = articleRules.extend({ tagList, status }).partial();
