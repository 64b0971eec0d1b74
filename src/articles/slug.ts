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

/** The slug with a random suffix; with 2^40 of them a second collision does not happen. */
export function slugifyWithSuffix(title: string): string {
  const suffix = randomBytes(5).toString('hex');
  return [cut(slugify(title), ARTICLE_LIMITS.slug - suffix.length - 1) || 'article', suffix].join('-');
}

const cut = (text: string, length: number) => text.replace(/^-/, '').slice(0, length).replace(/-$/, '');
