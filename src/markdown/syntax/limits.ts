import type { MarkdownIt, StateBlock, StateInline } from 'markdown-it';

/**
 * What a text may cost to render. Parsing stops as soon as a limit is passed, so that no text of 100,000 characters takes longer
 * than about 50 ms. All limits are counts: the same text is accepted or refused on every machine.
 */
export const RENDER_LIMITS = {
  /** Levels of lists, quotes and footnotes in each other, and of emphasis and links in each other. */
  nesting: 40,
  /** Paragraphs, list items, cells, links, emphases and so on. A heading counts twice, since its id takes as long. */
  elements: 6_000,
  /** What may be a bare address: www., :// or @. */
  addresses: 2_000,
  /** Lines and inline steps that the parser visits, again for each level and each unfinished link. */
  steps: 60_000,
  /** References to footnotes. */
  footnotes: 500,
  /** Characters of HTML. */
  html: 300_000,
  /** Of the characters that HTML writes as entities: <, > and &, and quotation marks in code. */
  escapes: 15_000,
} as const;

/** Why a text is not rendered, as an error of its input says it. */
export class MarkdownRefusal extends Error {
  readonly reason: string;
  readonly limit: number | null;

  constructor(reason: string, limit: number | null = null) {
    super(reason);
    this.reason = reason;
    this.limit = limit;
  }
}

const REASONS: Record<keyof typeof RENDER_LIMITS, (limit: string) => string> = {
  nesting: (limit) => `nests too deep (maximum is ${limit} levels)`,
  elements: (limit) => `has too many Markdown elements (maximum is ${limit})`,
  addresses: (limit) => `has too many web and e-mail addresses (maximum is ${limit})`,
  steps: () => 'has too many unfinished or nested Markdown elements',
  escapes: (limit) => `has too many of the characters <, >, & and " (maximum is ${limit})`,
  footnotes: (limit) => `refers to footnotes too often (maximum is ${limit} times)`,
  html: (limit) => `is too long as HTML (maximum is ${limit} characters)`,
};

export function requireWithin(limit: keyof typeof RENDER_LIMITS, value: number): void {
  if (value <= RENDER_LIMITS[limit]) return;
  throw new MarkdownRefusal(REASONS[limit](String(RENDER_LIMITS[limit])), RENDER_LIMITS[limit]);
}

/** Counts what the parser does for one text, and throws a MarkdownRefusal when it is too much. */
export function limitWork(parser: MarkdownIt): void {
  const { block, inline } = parser;
  let elements = 0;
  let steps = 0;
  const countSteps = (more: number) => {
    steps += more;
    requireWithin('steps', steps);
  };
  const countElement = () => {
    elements += 1;
    requireWithin('elements', elements);
  };

  parser.core.ruler.before('normalize', 'start_counting', ({ src }) => {
    elements = 0;
    steps = 0;
    requireWithin('addresses', src.match(/www\.|:\/\/|@/gi)?.length ?? 0);
  });

  block.State = class extends block.State {
    override push(...token: Parameters<StateBlock['push']>) {
      if (token[2] !== -1 && token[0] !== 'inline') countElement();
      if (token[0] === 'heading_open') countElement();
      return super.push(...token);
    }
  };
  const tokenizeLines = block.tokenize.bind(block);
  block.tokenize = (state, startLine, endLine) => {
    requireWithin('nesting', state.level);
    // A quote has looked at all its lines before it comes here; a list goes on for as long as it goes.
    const isQuote = state.parentType === 'blockquote';
    if (isQuote) countSteps(endLine - startLine);
    tokenizeLines(state, startLine, endLine);
    if (!isQuote) countSteps(state.line - startLine);
  };

  inline.State = class extends inline.State {
    override push(...token: Parameters<StateInline['push']>) {
      if (token[2] !== -1) countElement();
      return super.push(...token);
    }
  };
  const skipToken = inline.skipToken.bind(inline);
  inline.skipToken = (state) => {
    countSteps(1);
    skipToken(state);
  };

  // What is known only when all is parsed: the pairs of emphasis, bare addresses, and links that share one long address.
  parser.core.ruler.push('limit_inline', ({ tokens }) => {
    let footnotes = 0;
    let characters = 0;
    for (const { children } of tokens) {
      let depth = 0;
      for (const { nesting, type, attrs } of children ?? []) {
        depth += nesting;
        requireWithin('nesting', depth);
        footnotes += type === 'footnote_ref' ? 1 : 0;
        for (const [, value] of attrs ?? []) characters += String(value).length;
      }
    }
    requireWithin('footnotes', footnotes);
    requireWithin('html', characters);
  });
}

/** Before it is sanitised, which takes as long as parsing. */
export function limitHtml(html: string): void {
  requireWithin('html', html.length);
  requireWithin('elements', count(html, '<') / 2);
  requireWithin('escapes', count(html, '&'));
}

const count = (text: string, character: string) => text.split(character).length - 1;
