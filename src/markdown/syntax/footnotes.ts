import type { MarkdownIt, Token } from 'markdown-it';
import { ID_PREFIX } from './heading-anchors.ts';

/** How the footnotes of markdown-it-footnote look, and what their ids are. */
export function renderFootnotes(parser: MarkdownIt): void {
  parser.core.ruler.before('footnote_tail', 'unnest_footnotes', (state) => {
    state.tokens = unnested(state.tokens);
  });

  const { rules } = parser.renderer;
  rules.footnote_block_open = () => '<section class="footnotes">\n<ol>\n';
  rules.footnote_open = (tokens, index, _options, env) => `<li id="${ID_PREFIX}fn-${noteKey(tokens, index, env)}">`;
  rules.footnote_ref = (tokens, index, _options, env) => {
    const [note, reference] = [noteKey(tokens, index, env), referenceKey(tokens, index, env)];
    return `<sup><a href="#${ID_PREFIX}fn-${note}" id="${ID_PREFIX}fnref-${reference}" class="footnote-ref">${number(tokens, index)}</a></sup>`;
  };
  rules.footnote_anchor = (tokens, index, _options, env) =>
    ` <a href="#${ID_PREFIX}fnref-${referenceKey(tokens, index, env)}" class="footnote-backref" aria-label="Back to reference ${referenceNumber(tokens, index)}">↩</a>`;
}

/** Moves each definition out of whatever it stands in, behind everything else. */
function unnested(tokens: readonly Token[]): Token[] {
  const text: Token[] = [];
  const definitions: Token[][] = [];
  const open: Token[][] = [];
  for (const token of tokens) {
    if (token.type === 'footnote_reference_open') {
      const definition: Token[] = [];
      open.push(definition);
      definitions.push(definition);
    }
    (open.at(-1) ?? text).push(token);
    if (token.type === 'footnote_reference_close') open.pop();
  }
  return [...text, ...definitions.flat()];
}

interface FootnoteMeta {
  readonly id: number;
  readonly subId?: number;
}

const metaOf = (tokens: Token[], index: number) => tokens[index]?.meta as unknown as FootnoteMeta;
const number = (tokens: Token[], index: number) => String(metaOf(tokens, index).id + 1);

/** Ids contain the text's own key, because an article and its comments are on one page. */
const noteKey = (tokens: Token[], index: number, env: unknown) => `${textKeyOf(env)}-${number(tokens, index)}`;
const referenceKey = (tokens: Token[], index: number, env: unknown) =>
  `${textKeyOf(env)}-${referenceNumber(tokens, index)}`;

const textKeyOf = (env: unknown) => (env as { textKey: string }).textKey;

/** The second reference to footnote 1 is "1-2". */
function referenceNumber(tokens: Token[], index: number): string {
  const { subId = 0 } = metaOf(tokens, index);
  return number(tokens, index) + (subId > 0 ? `-${subId + 1}` : '');
}
