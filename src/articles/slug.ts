import { randomBytes } from 'node:crypto';
import anyAscii from 'any-ascii';
import { ARTICLE_LIMITS } from './article.limits.ts';

/** The URL key of a title: lower case, ASCII, of limited length. Empty for a title of only symbols. */
export const slugify = (title: string): string =>
  cut(
    anyAscii(title)
      .toLowerCase()
      .replaceAll(/['’]/g, '')
      .replaceAll(/[^a-z0-9]+/g, '-'),
    ARTICLE_LIMITS.slug,
  );

/** Whether an article can have the slug. That of a title of only symbols is empty; the REST API has its feed at /articles/feed. */
export const isUsable = (slug: string): boolean => slug !== '' && slug !== 'feed';

/** The slug with a random suffix; with 2^40 of them a second collision does not happen. */
export const slugifyWithSuffix = (title: string): string => `${stem(title)}-${randomBytes(SUFFIX / 2).toString('hex')}`;

/** Whether the slug is that of the title with a suffix. */
export const hasSuffix = (slug: string, title: string): boolean =>
  slug.replace(/-[\da-f]{10}$/, '') === stem(title) && slug !== stem(title);

const stem = (title: string) => cut(slugify(title), ARTICLE_LIMITS.slug - SUFFIX - 1) || 'article';

/** Hexadecimal digits. */
const SUFFIX = 10;

const cut = (text: string, length: number) => text.replace(/^-/, '').slice(0, length).replace(/-$/, '');
