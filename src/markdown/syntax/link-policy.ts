import type { MarkdownIt, Token } from 'markdown-it';
import { escapeText } from './plain-text.ts';

/**
 * Links lead to http, https and mailto addresses or to places relative to the page, and pass on no trust. Images come over https
 * only. A link to anywhere else becomes its text, and an image from anywhere else its description. A link in a link, which
 * the parser makes of an address in angle brackets, becomes its text too.
 */
export function applyLinkPolicy(parser: MarkdownIt): void {
  parser.core.ruler.push('link_policy', ({ tokens }) => {
    for (const token of tokens) if (token.children) applyTo(token.children);
  });
  parser.renderer.rules.image_description = (tokens, index, options, env, self) =>
    escapeText(self.renderInlineAsText(tokens[index]?.children ?? [], options, env));
}

/** What may stand before the colon of a link or an image; the sanitiser applies the same. */
export const LINK_SCHEMES = ['http', 'https', 'mailto'];
export const IMAGE_SCHEMES = ['https'];
export const LINK_RELATION = 'nofollow ugc noopener';

function applyTo(tokens: Token[]): void {
  const areRemoved: boolean[] = []; // of the links that a token is in
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const isInLink = areRemoved.includes(false);
      const isRemoved = isInLink || !isAllowedLink(String(token.attrGet('href') ?? ''));
      areRemoved.push(isRemoved);
      if (isRemoved) token.hidden = true;
      else token.attrSet('rel', LINK_RELATION);
    } else if (token.type === 'link_close') {
      token.hidden = areRemoved.pop() === true;
    } else if (token.type === 'image') {
      const scheme = schemeOf(String(token.attrGet('src') ?? ''));
      if (scheme === null || !IMAGE_SCHEMES.includes(scheme)) token.type = 'image_description';
    }
  }
}

const isAllowedLink = (href: string) => {
  const scheme = schemeOf(href);
  return scheme === null || LINK_SCHEMES.includes(scheme);
};

/** As browsers read it (RFC 3986); null for a relative address. The parser has encoded white space and control characters. */
const schemeOf = (address: string): string | null => /^([a-z][a-z\d+.-]*):/i.exec(address)?.[1]?.toLowerCase() ?? null;
