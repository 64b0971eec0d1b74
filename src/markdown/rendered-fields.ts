import { ArgsType, Field, Int } from 'type-graphql';
import { BadUserInput } from '../graphql/errors.ts';
import { raw, type Sql, sql } from '../reading/sql.ts';
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
  // It is cut at the last space, if there is one, else between two characters; the ellipsis takes the place of what follows.
  const start = sql`left(${opening}, ${most})`;
  const cut = sql`coalesce(substring(${start} from '^(.*\\S)\\s'), substring(${start} from ${raw(WHOLE_CHARACTERS)}), '')`;
  return sql`case when char_length(${opening}) <= ${most} then ${opening} else ${cut} || '…' end`;
}

/**
 * The longest beginning that ends where a character as people see it does, as a regular expression. Those that take several
 * code points are flags, of two letters each, and what is joined to others: combining marks, skin tones, variants.
 */
const FLAG_LETTER = '[\\U0001F1E6-\\U0001F1FF]';
const JOINER = '\\u200D';
const JOINED = `${JOINER}\\u0300-\\u036F\\u0E31\\u0E33-\\u0E3A\\u0E47-\\u0E4E\\u0EB1\\u0EB3-\\u0EBC\\u0EC8-\\u0ECE\\u102B-\\u103E\\u17B4-\\u17D3\\u1AB0-\\u1AFF\\u1DC0-\\u1DFF\\u20D0-\\u20FF\\u3099\\u309A\\uFE00-\\uFE0F\\uFE20-\\uFE2F\\U0001F3FB-\\U0001F3FF\\U000E0020-\\U000E007F`;
const WHOLE_CHARACTERS = `'^((?:${FLAG_LETTER}{2}|[^\\U0001F1E6-\\U0001F1FF])*)(?<!${JOINER})[^${JOINED}]'`;

/** An average word is six characters long, with the space after it. */
export const readingTimeSql = ({ body, readingTimeMinutes }: { body: Sql; readingTimeMinutes: Sql }): Sql =>
  sql`coalesce(${readingTimeMinutes}, ceil(char_length(${body}) / ${WORDS_PER_MINUTE * 6}::float8)::int)`;
