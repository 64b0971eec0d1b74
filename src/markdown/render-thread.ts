/** The thread that renders: one text per message, one answer for each. Node may load this file with its own type stripping. */
import { parentPort } from 'node:worker_threads';
import { type Rendering, type RenderOptions, render } from './render.ts';
import { MarkdownRefusal } from './syntax/limits.ts';

export interface ToRender {
  readonly source: string;
  readonly options: RenderOptions;
}

export type FromRenderThread =
  | { kind: 'ready' }
  | { kind: 'rendered'; rendering: Rendering }
  | { kind: 'refused'; reason: string; limit: number | null }
  | { kind: 'failed'; error: unknown };

const post = (message: FromRenderThread) => parentPort?.postMessage(message);

parentPort?.on('message', ({ source, options }: ToRender) => {
  try {
    post({ kind: 'rendered', rendering: render(source, options) });
  } catch (error) {
    if (error instanceof MarkdownRefusal) post({ kind: 'refused', reason: error.reason, limit: error.limit });
    else post({ kind: 'failed', error });
  }
});

post({ kind: 'ready' });
