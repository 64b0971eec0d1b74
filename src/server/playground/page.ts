import type { Assets } from './assets.ts';
import { type PlaygroundOptions, startPlayground } from './page-script.ts';

/** The HTML of the Playground. Only scripts with the nonce run. */
export function playgroundPage(assets: Assets, options: Omit<PlaygroundOptions, 'workers'>): string {
  const { nonce } = options;
  const workers = {
    editorWorkerService: assets['editor.js'].url,
    json: assets['json.js'].url,
    graphql: assets['graphql.js'].url,
  };
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Conduit GraphQL Playground</title>
    <link rel="icon" href="${ICON}">
    <link rel="stylesheet" href="${assets['graphiql.css'].url}">
    <style nonce="${nonce}">${STYLE}</style>
  </head>
  <body>
    <header id="bar">
      <h1><img src="${ICON}" alt="" width="22" height="22"> Conduit <span>GraphQL</span></h1>
      <label for="authorization">Authorization</label>
      <input id="authorization" spellcheck="false" autocomplete="off"
        placeholder="Empty: a guest. Run Login and take its token, or paste: Token eyJ…">
      <button id="offer" hidden></button>
      <output id="who" for="authorization"></output>
      <button id="sign-out" hidden>Sign out</button>
      <a href="/schema.graphql">schema.graphql</a>
    </header>
    <div id="root"><p class="loading">Loading…</p></div>
    <noscript>The Playground is a program and needs JavaScript.</noscript>
    <script nonce="${nonce}">(${startPlayground})(${scriptJson({ ...options, workers })})</script>
    <script nonce="${nonce}" src="${assets['graphiql.js'].url}" defer></script>
  </body>
</html>
`;
}

/** JSON that cannot close the script element that contains it. */
const scriptJson = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#4f9a4f"/><path d="M16 8.5a5 5 0 1 0 0 7" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>',
)}`;

const STYLE = `
:root { --bar: #f4f6f4; --line: #d9dfd9; --ink: #23302a; --faint: #66736b; --field: #fff; --green: #38803c; }
body.graphiql-dark { --bar: #1b2430; --line: #34404f; --ink: #e8edf2; --faint: #9aa7b5; --field: #141b25; --green: #58b35d; }
@media (prefers-color-scheme: dark) {
  body:not(.graphiql-light) { --bar: #1b2430; --line: #34404f; --ink: #e8edf2; --faint: #9aa7b5; --field: #141b25; --green: #58b35d; }
}
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--field); color: var(--ink); font: 14px/1.4 system-ui, sans-serif; }
#bar { display: flex; align-items: center; gap: 10px; min-height: 34px; padding: 8px 16px; background: var(--bar); border-bottom: 1px solid var(--line); }
#bar h1 { display: flex; align-items: center; gap: 8px; margin: 0 16px 0 0; font-size: 16px; font-weight: 650; white-space: nowrap; }
#bar h1 span { font-weight: 400; color: var(--faint); }
#bar label, #bar a, #who { color: var(--faint); white-space: nowrap; }
#bar a:hover { color: var(--ink); }
#authorization { flex: 1; min-width: 120px; padding: 6px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--field); color: var(--ink); font: 12px/1.4 ui-monospace, monospace; text-overflow: ellipsis; }
#bar button { padding: 6px 12px; border: 1px solid var(--line); border-radius: 6px; background: transparent; color: var(--ink); font: inherit; cursor: pointer; white-space: nowrap; }
#bar #offer { border-color: var(--green); background: var(--green); color: #fff; font-weight: 600; }
#bar :focus-visible { outline: 2px solid var(--green); outline-offset: 1px; }
#bar [hidden] { display: none; }
#bar + #root { flex: 1; height: auto; min-height: 0; }
#root .graphiql-container { height: 100%; }
/* A tab keeps the offset of its first layout, which would move it away on click. */
#root .graphiql-tab { transform: none !important; }
.loading, noscript { padding: 24px; color: var(--faint); }
@media (max-width: 800px) { #bar label, #bar a, #who { display: none; } }
`;
