import { Refusal, UserErrorCode, ValidationError } from '../graphql/user-errors.ts';
import { RENDERER_VERSION, type Rendering, type RenderOptions, render } from './render.ts';
import { renderInThread } from './renderer.ts';
import { MarkdownRefusal } from './syntax/limits.ts';

/**
 * Markdown together with what is stored beside it. Rendering is the only way to make one, and entities take their text as one, so
 * that none is stored without its HTML.
 */
export class Markdown {
  private constructor(
    readonly source: string,
    private readonly rendering: Rendering,
  ) {}

  /** Rejects with a MarkdownRefusal if the text is too complex to render. */
  static async render(source: string, options: RenderOptions): Promise<Markdown> {
    const isShort = source.length <= MAX_SHORT;
    return new Markdown(source, isShort ? render(source, options) : await renderInThread(source, options));
  }

  /** What is stored. A row keeps when its last text was rendered, and each rendering is later: see stale-rendering.ts. */
  columns(lastRenderedAt: Date | null = null): MarkdownColumns {
    return {
      body: this.source,
      bodyHtml: this.rendering.html,
      rendererVersion: RENDERER_VERSION,
      renderedAt: new Date(Math.max(Date.now(), (lastRenderedAt?.getTime() ?? 0) + 1)),
    };
  }

  articleColumns(lastRenderedAt: Date | null = null): MarkdownColumns & ArticleColumns {
    const { openingText, readingTimeMinutes } = this.rendering;
    return { ...this.columns(lastRenderedAt), openingText, readingTimeMinutes };
  }
}

/** In UTF-16 code units. So short a text, as most comments are, is rendered sooner than another thread gets it. */
const MAX_SHORT = 300;

interface MarkdownColumns {
  readonly body: string;
  readonly bodyHtml: string;
  readonly rendererVersion: number;
  readonly renderedAt: Date;
}

interface ArticleColumns {
  readonly openingText: string;
  readonly readingTimeMinutes: number;
}

/** The `body` of an input, which is valid; throws a Refusal if it is too complex to render. */
export async function renderBody(body: string, options: RenderOptions): Promise<Markdown> {
  try {
    return await Markdown.render(body, options);
  } catch (error) {
    if (!(error instanceof MarkdownRefusal)) throw error;
    const { reason, limit } = error;
    const code = limit === null ? UserErrorCode.INVALID : UserErrorCode.TOO_MANY;
    throw new Refusal(new ValidationError(code, reason, ['input', 'body'], limit ?? undefined));
  }
}
