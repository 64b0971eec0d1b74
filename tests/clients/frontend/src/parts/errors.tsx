import { sentencesOf } from '../api/mutate.ts';

export const Errors = ({ sentences }: { sentences: readonly string[] }) =>
  sentences.length > 0 && (
    <ul className="error-messages" role="alert">
      {sentences.map((sentence, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two errors may have the same sentence.
        <li key={index}>{sentence}</li>
      ))}
    </ul>
  );

/** What a page shows until it has its data. */
export const Waiting = ({ error }: { error?: unknown }) => (
  <div className="container page">
    {error ? <Errors sentences={sentencesOf(error)} /> : <p className="waiting">Loading…</p>}
  </div>
);

export const NotFound = ({ what = 'page' }) => (
  <div className="container page not-found">
    <title>Not found — Conduit</title>
    <h1>There is no such {what}.</h1>
    <p>It may have been deleted, or its address is mistyped.</p>
  </div>
);
