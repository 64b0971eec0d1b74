import type { MarkdownIt, Token } from 'markdown-it';
import { ID_PREFIX } from './heading-anchors.ts';

/** How the footnotes of markdown-it-footnote look, and what their ids are. */
export function renderFootnotes(parser: MarkdownIt): void {
  parser.core.ruler.before('footnote_tail', 'unnest_footnotes', (state) => {
    state.tokens = unnested(state.tokens);
  });
  parser.core.ruler.after('footnote_tail', 'link_footnotes', (state) => {
    state.tokens = withTrueBackLinks(state.tokens);
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

/** Leaves out links back to references that are not shown: those in descriptions of images, and in notes that nothing refers to. */
function withTrueBackLinks(tokens: readonly Token[]): Token[] {
  const references = tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === 'footnote_ref');
  const shown = new Set(references.map(referenceOf));
  return tokens.filter((token) => token.type !== 'footnote_anchor' || shown.has(referenceOf(token)));
}

interface FootnoteMeta {
  readonly id: number;
  readonly subId?: number;
}

function referenceOf({ meta }: Token): string {
  const { id, subId = 0 } = meta as unknown as FootnoteMeta;
  return `${id}-${subId}`;
}

const metaOf = (tokens: Token[], index: number) => tokens[index]?.meta as unknown as FootnoteMeta;
const number = (tokens: Token[], index: number) => String(metaOf(tokens, index).id + 1);

/** Ids contain a key of this rendering, because an article and its comments, which may say the same, are on one page. */
const noteKey = (tokens: Token[], index: number, env: unknown) => `${renderingKeyOf(env)}-${number(tokens, index)}`;
const referenceKey = (tokens: Token[], index: number, env: unknown) =>
  `${renderingKeyOf(env)}-${referenceNumber(tokens, index)}`;

const renderingKeyOf = (env: unknown) => (env as { renderingKey: string }).renderingKey;

/** The second reference to footnote 1 is "1-2". */
function referenceNumber(tokens: Token[], index: number): string {
  const { subId = 0 } = metaOf(tokens, index);
  return number(tokens, index) + (subId > 0 ? `-${subId + 1}` : '');
}
