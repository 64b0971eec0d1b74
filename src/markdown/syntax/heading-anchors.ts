import type { MarkdownIt, Token } from 'markdown-it';
import { textOf } from './plain-text.ts';

/** Before every id in rendered HTML, so that none is an id, a name or a variable of the page. */
export const ID_PREFIX = 'user-content-';

/** Gives headings an id made from their text, as GitHub does, if the environment says so. */
export function anchorHeadings(parser: MarkdownIt): void {
  parser.core.ruler.push('heading_anchors', ({ tokens, env }) => {
    if (!(env as { headingAnchors?: boolean } | undefined)?.headingAnchors) return;
    const used = new Set<string>();
    const counts = new Map<string, number>();
    tokens.forEach((token, index) => {
      if (token.type !== 'heading_open') return;
      const name = anchorName(textOf([tokens[index + 1] as Token]));
      let anchor = name;
      for (let count = counts.get(name) ?? 0; anchor === '' || used.has(anchor); anchor = `${name}-${count}`) {
        count += 1;
        counts.set(name, count);
      }
      used.add(anchor);
      token.attrSet('id', ID_PREFIX + anchor);
    });
  });
}

/** "What's new in 2.0?" becomes "whats-new-in-20". */
const anchorName = (heading: string) => {
  const characters = heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
  return [...characters].slice(0, 100).join('');
};
