import { ArgsType, Extensions, Field, ID, InputType, registerEnumType } from 'type-graphql';
import { z } from 'zod';
import { DateTime } from '../graphql/scalars.ts';
import { UserErrorCode } from '../graphql/user-errors.ts';
import { text } from '../graphql/validation.ts';
import { OrderDirection, PageArgs } from '../reading/page-args.ts';

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

  @Field(() => [String], { nullable: true, description: 'Carries at least one of these tags, at most 20.' })
  tagsAny?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Carries each of these tags, at most 20.' })
  tagsAll?: string[] | null;

  @Field(() => DateTime, { nullable: true, description: 'Published later than this.' })
  publishedAfter?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Published earlier than this.' })
  publishedBefore?: Date | null;
}

export enum ArticleOrderField {
  PUBLISHED_AT = 'PUBLISHED_AT',
  UPDATED_AT = 'UPDATED_AT',
  FAVORITES_COUNT = 'FAVORITES_COUNT',
  COMMENTS_COUNT = 'COMMENTS_COUNT',
  TITLE = 'TITLE',
}

registerEnumType(ArticleOrderField, {
  name: 'ArticleOrderField',
  description: 'What articles are ordered by. Ties are broken by id, so that paging loses none.',
  valuesConfig: {
    PUBLISHED_AT: { description: 'When readers could first see it.' },
    UPDATED_AT: { description: 'When its author last changed it.' },
    FAVORITES_COUNT: { description: 'How many users have favourited it.' },
    COMMENTS_COUNT: { description: 'How many comments it has.' },
    TITLE: { description: "Its title, in the database's collation." },
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
  @Field(() => ArticleOrder, { nullable: true, description: 'Newest first unless given.' })
  orderBy?: ArticleOrder | null;
}

@ArgsType()
export class ArticleListArgs extends ArticleOrderArgs {
  @Field(() => ArticleFilter, { nullable: true, description: 'Only articles for which this holds.' })
  filter?: ArticleFilter | null;
}

@InputType({ description: 'A new article. It is published at once.' })
export class CreateArticleInput {
  @Field(() => String, { description: 'At most 200 characters. Need not be unique.' })
  title!: string;

  @Field(() => String, { description: 'At most 500 characters.' })
  description!: string;

  @Field(() => String, { description: 'Markdown, at most 100,000 characters.' })
  body!: string;

  @Field(() => [String], {
    defaultValue: [],
    nullable: true,
    description:
      'At most 20 tags of at most 50 characters. Order is kept, white space around them and duplicates are dropped.',
  })
  tagList?: string[] | null;
}

@InputType({
  description: 'An absent field stays as it is; null is a ValidationError; tagList: [] removes all tags.',
})
export class UpdateArticleInput {
  @Field(() => ArticleBy, { description: 'Which one.' })
  article!: ArticleBy;

  @Field(() => String, { nullable: true, description: 'At most 200 characters. A new title makes a new slug.' })
  title?: string | null;

  @Field(() => String, { nullable: true, description: 'At most 500 characters.' })
  description?: string | null;

  @Field(() => String, { nullable: true, description: 'Markdown, at most 100,000 characters.' })
  body?: string | null;

  @Field(() => [String], { nullable: true, description: 'All the tags it carries from now on, in their order.' })
  tagList?: string[] | null;
}

const MOST_TAGS = 20;

const tagList = z
  .array(
    z
      .string()
      .transform((name) => name.trim())
      .pipe(text(50)),
  )
  .transform((names) => [...new Set(names)])
  .refine((names) => names.length <= MOST_TAGS, {
    error: `has too many items (maximum is ${MOST_TAGS})`,
    params: { code: UserErrorCode.TOO_MANY, limit: MOST_TAGS },
  });

export const articleContent = z.object({
  title: text(200),
  description: text(500),
  body: text(100_000),
  tagList: tagList.nullish().transform((names) => names ?? []),
});

export const articleChanges = articleContent.extend({ tagList }).partial();
