import type { Tab } from './tabs.ts';

/**
 * `startPlayground` is sent to the browser as text, so it cannot refer to anything else in this module. It starts GraphiQL and
 * the bar above it with the Authorization header of all tabs.
 */
export interface PlaygroundOptions {
  readonly tabs: readonly Tab[];
  readonly nonce: string;
  /** Replaces GraphiQL's own introspection query, which does not request @oneOf. */
  readonly introspection: string;
  readonly workers: Readonly<Record<string, string>>;
}

export function startPlayground({ tabs, nonce, introspection, workers }: PlaygroundOptions): void {
  const authorization = document.querySelector('#authorization');
  const offer = document.querySelector('#offer');
  const who = document.querySelector('#who');
  const signOut = document.querySelector('#sign-out');

  /** The editor creates style elements at run time; the policy allows only those with the nonce. */
  const createElement = document.createElement;
  document.createElement = function (name: string, ...rest: unknown[]) {
    const element = createElement.call(this, name, ...rest);
    if (String(name).toLowerCase() === 'style') element.setAttribute('nonce', nonce);
    return element;
  };
  globalThis.MonacoEnvironment = { getWorkerUrl: (_module: string, label: string) => workers[label] };

  /** Sends the bar's header unless the tab sets its own. */
  async function execute(
    given: { query: string; operationName?: string },
    { headers = {} }: { headers?: Record<string, string> } = {},
  ): Promise<unknown> {
    // Right after a switch of tabs, GraphiQL still sends the operation name of the previous tab.
    const { operationName = '', ...request } = given;
    const named = given.query.includes(operationName) ? given : request;
    const body = operationName === 'IntrospectionQuery' ? { query: introspection } : named;
    const hasOwnHeader = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
    const barHeader = authorization.value && !hasOwnHeader ? { authorization: authorization.value } : {};
    const response = await fetch('/graphql', {
      method: 'POST',
      // As plain JSON, errors in the document have status 200, so that the browser's console does not report them.
      headers: { accept: 'application/json', 'content-type': 'application/json', ...barHeader, ...headers },
      body: JSON.stringify(body),
    });
    const result = (await response.json()) as { data?: Record<string, any> | null };
    offerToken(result.data);
    return result;
  }

  /** After a sign-in, in any field of the result, offers to use its token. */
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

  const saved = JSON.parse(sessionStorage.getItem('authorization') ?? '{"header":"","name":""}');
  use(saved.header, saved.name);
  authorization.oninput = () => use(authorization.value, '');
  signOut.onclick = () => use('', '');

  globalThis.addEventListener('DOMContentLoaded', () => {
    globalThis.YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
      fetcher: execute,
      defaultTabs: tabs,
      // GraphiQL ignores the variables of the first tab. Saved tabs take precedence.
      ...(localStorage.getItem('graphiql:tabState') ? {} : { variables: tabs[0]?.variables }),
      title: ' ',
      logo: ' ',
      shouldPersistHeaders: false,
      onEditQuery() {}, // the bundle's default writes every keystroke into the URL
    });
  });
}

// Browser globals, which are not in the server's TypeScript libraries.
declare const document: any;
declare const sessionStorage: any;
declare const localStorage: any;
declare const globalThis: any;
