import { randomBytes } from 'node:crypto';
import anyAscii from 'any-ascii';
import { ARTICLE_LIMITS } from './article.limits.ts';

/** The URL key a title asks for: lower case, ASCII, at most 100 characters. Empty for a title of nothing but symbols. */
export const slugify = (title: string): string =>
  cut(
    anyAscii(title)
      .toLowerCase()
      .replaceAll(/['’]/g, '')
      .replaceAll(/[^a-z0-9]+/g, '-'),
    ARTICLE_LIMITS.slug,
  );

/** The same with an ending that tells it from every other; 2^40 of them make a second clash unheard of. */
export function slugifyWithSuffix(title: string): string {
  const ending = randomBytes(5).toString('hex');
  return [cut(slugify(title), ARTICLE_LIMITS.slug - ending.length - 1) || 'article', ending].join('-');
}

const cut = (text: string, length: number) => text.replace(/^-/, '').slice(0, length).replace(/-$/, '');
