import { STATUS_SQL } from './article-status.ts';

/**
 * The bodies of the triggers of articles. They are one line each, and the `when` conditions are written as PostgreSQL prints
 * them: MikroORM compares both as text with those of the database.
 */

/** Adds the slug to article_slugs. A slug that another article has or had is taken. */
export const KEEP_FIRST_SLUG = [
  'insert into article_slugs (slug, article_id) values (new.slug, new.id)',
  'on conflict (slug) do update set slug = excluded.slug where article_slugs.article_id = excluded.article_id;',
  "if not found then raise unique_violation using constraint = 'articles_slug_unique', message = 'the slug belongs to another article'; end if;",
  'return null;',
].join(' ');

/** Adds the slug of before too, which is missing if the article was written before the table existed. */
export const KEEP_SLUG = `insert into article_slugs (slug, article_id) values (old.slug, old.id) on conflict (slug) do nothing; ${KEEP_FIRST_SLUG}`;

/** Changes the counts of the tags of an article. Locks the tags in the order of their names, as tag.repository.ts does. */
export const countInTags = (article: 'old' | 'new', more: string): string =>
  [
    `perform from tags where id in (select tag_id from article_tags where article_id = ${article}.id) order by name for no key update;`,
    `update tags set articles_count = articles_count ${more}`,
    `where id in (select tag_id from article_tags where article_id = ${article}.id); return ${article};`,
  ].join(' ');

/** Changes the count of the tag of a link if its article is published, and locks the article so that its status stays. */
export const countLink = (link: 'old' | 'new', more: string): string =>
  [
    `perform from articles where id = ${link}.article_id and status = ${STATUS_SQL.PUBLISHED} for share;`,
    `if found then update tags set articles_count = articles_count ${more} where id = ${link}.tag_id; end if; return null;`,
  ].join(' ');

/** Dates a new link, and locks the article so that its date and status stay. */
export const COPY_DATE_TO_LINK = `select case status when ${STATUS_SQL.PUBLISHED} then published_at end into new.published_at from articles where id = new.article_id for share; return new;`;

/** Dates the links of an article that is published or taken back. */
export const COPY_DATE_TO_LINKS = `update article_tags set published_at = case new.status when ${STATUS_SQL.PUBLISHED} then new.published_at end where article_id = new.id; return null;`;
