import type { Tab } from './tabs.ts';

/**
 * What runs in the browser: `startPlayground` is sent there as text, so it stands alone and knows nothing of this module.
 * It starts GraphiQL and the bar above it, which holds the Authorization header for all tabs.
 */
export interface PlaygroundOptions {
  readonly tabs: readonly Tab[];
  readonly nonce: string;
  /** Asked in place of GraphiQL's own, which knows nothing of inputs that want exactly one key. */
  readonly introspection: string;
  readonly workers: Readonly<Record<string, string>>;
}

export function startPlayground({ tabs, nonce, introspection, workers }: PlaygroundOptions): void {
  const authorization = document.querySelector('#authorization');
  const offer = document.querySelector('#offer');
  const who = document.querySelector('#who');
  const signOut = document.querySelector('#sign-out');

  /** The editor makes style elements as it goes. With our nonce on them, the policy lets them in, and no others. */
  const createElement = document.createElement;
  document.createElement = function (name: string, ...rest: unknown[]) {
    const element = createElement.call(this, name, ...rest);
    if (String(name).toLowerCase() === 'style') element.setAttribute('nonce', nonce);
    return element;
  };
  globalThis.MonacoEnvironment = { getWorkerUrl: (_module: string, label: string) => workers[label] };

  /** One request, with the bar's header unless the tab's Headers have their own. */
  async function ask(
    given: { query: string; operationName?: string },
    { headers = {} }: { headers?: Record<string, string> } = {},
  ): Promise<unknown> {
    // For a moment after a tab is chosen, GraphiQL still names the operation of the one before.
    const { operationName = '', ...request } = given;
    const named = given.query.includes(operationName) ? given : request;
    const body = operationName === 'IntrospectionQuery' ? { query: introspection } : named;
    const ofTheTab = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
    const ofTheBar = authorization.value && !ofTheTab ? { authorization: authorization.value } : {};
    const response = await fetch('/graphql', {
      method: 'POST',
      // As plain JSON, faults of the document come with status 200: the console is for faults of the Playground.
      headers: { accept: 'application/json', 'content-type': 'application/json', ...ofTheBar, ...headers },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { data?: Record<string, any> | null };
    offerToken(answer.data);
    return answer;
  }

  /** Whoever has just signed in, in whichever field of the answer, may use the token from now on. */
  function offerToken(data: Record<string, any> | null | undefined): void {
    for (const payload of Object.values(data ?? {})) {
      if (!payload?.token || !payload.viewer) continue;
      const name = payload.viewer.user?.username ?? 'this session';
      offer.textContent = `Use ${name}’s token`;
      offer.hidden = false;
      offer.onclick = () => use(`Token ${payload.token}`, name);
    }
  }

  function use(header: string, name: string): void {
    authorization.value = header;
    sessionStorage.setItem('authorization', JSON.stringify({ header, name }));
    offer.hidden = true;
    who.textContent = header ? `Signed in${name ? ` as ${name}` : ''}` : 'Guest';
    signOut.hidden = !header;
  }

  const kept = JSON.parse(sessionStorage.getItem('authorization') ?? '{"header":"","name":""}');
  use(kept.header, kept.name);
  authorization.oninput = () => use(authorization.value, '');
  signOut.onclick = () => use('', '');

  globalThis.addEventListener('DOMContentLoaded', () => {
    globalThis.YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
      fetcher: ask,
      defaultTabs: tabs,
      // GraphiQL takes a first tab's query, but not its variables; what was typed the last time goes before both.
      ...(localStorage.getItem('graphiql:tabState') ? {} : { variables: tabs[0]?.variables }),
      title: ' ',
      logo: ' ',
      shouldPersistHeaders: false,
      onEditQuery() {}, // the bundle's own writes every keystroke into the address
    });
  });
}

// The browser's; the server's compiler does not know them.
declare const document: any;
declare const sessionStorage: any;
declare const localStorage: any;
declare const globalThis: any;
