import { readdirSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { ArticleStatus } from '../../articles/article-status.ts';
import { slugify } from '../../articles/slug.ts';
import { stableRandom } from './stable-random.ts';

export interface DemoArticle {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly author: string;
  readonly status: ArticleStatus;
  /** When it was published; a draft, when it was written. */
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly tags: readonly string[];
  readonly body: string;
  readonly comments: readonly DemoComment[];
}

export interface DemoComment {
  readonly author: string;
  readonly createdAt: Date;
  readonly body: string;
}

/** The articles of the demo blog, oldest first: a file each, with front matter, the Markdown body and comments. */
export const demoArticles = (): DemoArticle[] =>
  readdirSync(FOLDER)
    .map((file) => articleOf(readFileSync(`${FOLDER}/${file}`, 'utf8')))
    .toSorted((left, right) => left.createdAt.getTime() - right.createdAt.getTime());

/** The build in dist does not copy Markdown. */
const FOLDER = join(dirname(findPackageJSON('..', import.meta.url) ?? '.'), 'src/seeding/demo/articles');

function articleOf(file: string): DemoArticle {
  const [, head = '', body = '', comments = ''] = file.split(/^---\n|^<!-- comments -->\n/m);
  const {
    title = '',
    description = '',
    author = '',
    published = '',
    drafted = '',
    tags = '',
  } = Object.fromEntries(head.split('\n').map((line) => line.split(/: (.*)/, 2)));
  const createdAt = new Date(published || drafted);
  const wasEdited = stableRandom('edited', title) < 20;
  return {
    slug: slugify(title),
    title,
    description,
    author,
    status: published ? ArticleStatus.PUBLISHED : ArticleStatus.DRAFT,
    createdAt,
    updatedAt: wasEdited ? hoursAfter(createdAt, 1 + stableRandom('edited when', title)) : createdAt,
    tags: tags.split(', '),
    body: body.trim(),
    comments: comments
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => commentOf(line, createdAt)),
  };
}

/** `- mira, 27 h later: Ask explain.` */
function commentOf(line: string, publishedAt: Date): DemoComment {
  const [, author = '', hours = '', body = ''] = /^- (\w+), (\d+) h later: (.*)$/.exec(line) ?? [];
  return { author, createdAt: hoursAfter(publishedAt, Number(hours), stableRandom(line) % 60), body };
}

const hoursAfter = (date: Date, hours: number, minutes = 0) =>
  new Date(date.getTime() + (hours * 60 + minutes) * 60_000);
