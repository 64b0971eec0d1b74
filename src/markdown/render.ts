import { randomUUID } from 'node:crypto';
import { readingTimeMinutes } from './reading-time.ts';
import { sanitize } from './sanitize.ts';
import { limitHtml } from './syntax/limits.ts';
import { createParser } from './syntax/parser.ts';
import { collapseSpace, runningText, textOf } from './syntax/plain-text.ts';

/** Raise it with every change of what `render` makes of a text: what older versions made is then made again. */
export const RENDERER_VERSION = 2;

export interface Rendering {
  readonly html: string;
  /** The beginning of the text without markup: one character more than an excerpt may have, if there is more. */
  readonly openingText: string;
  readonly readingTimeMinutes: number;
}

export interface RenderOptions {
  /** Whether headings get ids. There is one article on a page but many comments, so only articles have them. */
  readonly headingAnchors: boolean;
}

/** The longest excerpt, in characters. */
export const MAX_EXCERPT = 500;

/** Renders Markdown in the calling thread, or throws a MarkdownRefusal. The server renders all but short texts in another: see renderer.ts. */
export function render(source: string, { headingAnchors }: RenderOptions): Rendering {
  const environment = { headingAnchors, renderingKey: randomUUID().slice(0, 8) };
  const tokens = parser.parse(source, environment);
  const unsafe = parser.renderer.render(tokens, parser.options, environment);
  limitHtml(unsafe);
  return {
    html: sanitize(unsafe),
    openingText: beginning(collapseSpace(textOf(runningText(tokens)))),
    readingTimeMinutes: readingTimeMinutes(textOf(tokens)),
  };
}

const parser = createParser();

/** Never half a character that takes two code units. */
const beginning = (text: string) => [...text.slice(0, 2 * MAX_EXCERPT + 2)].slice(0, MAX_EXCERPT + 1).join('');
