import { filter, firstValueFrom, from } from 'rxjs';
import * as apollo from './apollo.ts';
import * as fetching from './fetch.ts';
import { type ArticlePreviewFragment, type CreateArticleInput, FeedDocument } from './gql/graphql.ts';
import * as relay from './relay.ts';
import { createSession } from './session.ts';
import * as urql from './urql.ts';

/** A frontend that shows its feed, made of the recipes, as a test drives it. */
export interface Frontend {
  signIn(email: string, password: string): Promise<readonly { code: string }[]>;
  more(): Promise<unknown>;
  shown(): readonly Shown[];
  favorite(article: Shown): Promise<readonly { code: string }[]>;
  publish(input: CreateArticleInput): Promise<{ messages: Record<string, string> }>;
  codeOf(error: unknown): unknown;
}

export type Shown = Pick<ArticlePreviewFragment, 'title' | 'favoritesCount' | 'viewerHasFavorited'> & { id: string };

export const frontends: Record<string, (url: string) => Frontend> = {
  'Apollo Client'(url) {
    const session = createSession(url);
    const client = apollo.apolloClient(url, session);
    let feed: ReturnType<typeof apollo.watchFeed> | null = null;
    return {
      signIn: (email, password) => apollo.signIn(client, session, email, password),
      more() {
        if (feed) return apollo.more(client, feed);
        feed = apollo.watchFeed(client);
        feed.subscribe({}); // a component renders it
        return firstValueFrom(from(feed).pipe(filter(({ loading }) => !loading)));
      },
      shown: () => {
        const shown = client.readQuery({ query: FeedDocument, variables: { first: 5 } }, true);
        return nodesOf(shown?.viewer?.feed);
      },
      favorite: (article) => apollo.favorite(client, article),
      publish: (input) => apollo.publish(client, input),
      codeOf: apollo.codeOf,
    };
  },

  urql(url) {
    const session = createSession(url);
    let client = urql.urqlClient(url, session);
    let after: string | null | undefined;
    const shown = () => client.readQuery(FeedDocument, { first: 5, after })?.data?.viewer?.feed;
    return {
      async signIn(email, password) {
        const errors = await urql.signIn(client, session, email, password);
        client = urql.urqlClient(url, session);
        return errors;
      },
      async more() {
        const { pageInfo } = shown() ?? {};
        if (pageInfo?.hasNextPage === false) return;
        after = pageInfo?.endCursor;
        return urql.feed(client, after);
      },
      shown: () => nodesOf(shown()),
      favorite: (article) => urql.favorite(client, article),
      publish: (input) => urql.publish(client, input),
      codeOf: urql.codeOf,
    };
  },

  Relay(url) {
    const session = createSession(url);
    let environment = relay.relayEnvironment(url, session);
    let feed = relay.readFeed(environment);
    return {
      async signIn(email, password) {
        const errors = await relay.signIn(environment, session, email, password);
        environment = relay.relayEnvironment(url, session);
        feed = relay.readFeed(environment);
        return errors;
      },
      more: () => feed.more(),
      shown: () => nodesOf(feed.shown()),
      favorite: (article) => relay.favorite(environment, article),
      publish: (input) => relay.publish(environment, input),
      codeOf: relay.codeOf,
    };
  },

  'plain fetch'(url) {
    const session = createSession(url);
    const ask = fetching.fetchClient(url, session);
    const feed = fetching.readFeed(ask);
    return {
      signIn: (email, password) => fetching.signIn(ask, session, email, password),
      more: feed.more,
      shown: () => feed.articles as Shown[],
      favorite(article) {
        const place = feed.articles.findIndex(({ id }) => id === article.id);
        return fetching.favorite(ask, feed.articles[place] as ArticlePreviewFragment, (changed) => {
          feed.articles[place] = changed;
        });
      },
      publish: (input) => fetching.publish(ask, input),
      codeOf: fetching.codeOf,
    };
  },
};

const nodesOf = (feed: { readonly edges: readonly unknown[] } | null | undefined) =>
  (feed?.edges ?? []).map((edge) => (edge as { node: Shown }).node);
