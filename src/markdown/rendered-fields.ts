import { ArgsType, Field, Int } from 'type-graphql';
import { BadUserInput } from '../graphql/errors.ts';
import { type Sql, sql } from '../reading/sql.ts';
import { WORDS_PER_MINUTE } from './reading-time.ts';
import { MAX_EXCERPT } from './render.ts';

/**
 * What fields answer about rendered text. A row of before, and one that another program has written, is not rendered yet: until
 * the backfill reaches it, its fields answer with a stand-in made from its source.
 */

export const BODY_HTML =
  '`body` rendered as GitHub renders Markdown, for innerHTML: HTML in it is text, links lead to http, https and mailto addresses or to places relative to the page, images come over https, ids begin with `user-content-`, and code blocks have a class such as `language-ts`. Until a text from an older version is rendered, its escaped source in paragraphs; for good, if it is too complex.';

const USUAL_EXCERPT = 160;

@ArgsType()
export class ExcerptArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: USUAL_EXCERPT,
    description: `Maximum number of characters, from 1 to ${MAX_EXCERPT}; ${USUAL_EXCERPT} if it is null.`,
  })
  length!: number | null;
}

/** Source becomes paragraphs of text. */
export function bodyHtmlSql({ body, bodyHtml }: { body: Sql; bodyHtml: Sql }): Sql {
  const escaped = sql`replace(replace(replace(${body}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')`;
  return sql`coalesce(${bodyHtml}, '<p>' || regexp_replace(${escaped}, '(\r?\n){2,}', E'</p>\n<p>', 'g') || '</p>')`;
}

export function excerptSql({ body, openingText }: { body: Sql; openingText: Sql }, length: number | null): Sql {
  const most = length ?? USUAL_EXCERPT;
  if (most < 1 || most > MAX_EXCERPT) {
    throw new BadUserInput(`length is ${most}; it must be between 1 and ${MAX_EXCERPT}.`);
  }
  const opening = sql`coalesce(${openingText}, left(btrim(regexp_replace(${body}, '\\s+', ' ', 'g')), ${MAX_EXCERPT + 1}))`;
  // What is cut off ends with the last space, if there is one; the ellipsis takes the place of that space.
  const cut = sql`coalesce(substring(left(${opening}, ${most}) from '^(.*\\S)\\s'), left(${opening}, ${most - 1}))`;
  return sql`case when char_length(${opening}) <= ${most} then ${opening} else ${cut} || '…' end`;
}

/** An average word is six characters long, with the space after it. */
export const readingTimeSql = ({ body, readingTimeMinutes }: { body: Sql; readingTimeMinutes: Sql }): Sql =>
  sql`coalesce(${readingTimeMinutes}, ceil(char_length(${body}) / ${WORDS_PER_MINUTE * 6}::float8)::int)`;
