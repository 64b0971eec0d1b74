import type { Token } from 'markdown-it';

/** The text of tokens, with a space between blocks: without markup and images. */
export function textOf(tokens: readonly Token[]): string {
  let text = '';
  for (const token of tokens) {
    if (token.children) text += `${inlineText(token.children)} `;
    else if (token.type === 'fence' || token.type === 'code_block') text += `${token.content} `;
  }
  return text;
}

/** The tokens of running text: without headings, code blocks, tables and footnotes. */
export function runningText(tokens: readonly Token[]): Token[] {
  let skipped = 0;
  return tokens.filter(({ type, nesting }) => {
    if (SKIPPED.test(type)) skipped += nesting;
    return skipped === 0 && type !== 'fence' && type !== 'code_block';
  });
}

const SKIPPED = /^(table|heading|footnote_block)_(open|close)$/;

export const collapseSpace = (text: string) => text.replace(/\s+/g, ' ').trim();

export const escapeText = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function inlineText(tokens: readonly Token[]): string {
  let text = '';
  for (const { type, content } of tokens) {
    if (type === 'softbreak' || type === 'hardbreak') text += ' ';
    else if (type === 'text' || type === 'code_inline' || type === 'text_special') text += content;
  }
  return text;
}
