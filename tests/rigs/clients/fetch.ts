// #region client
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { isUnauthenticated, type Session } from './session.ts';

export type Ask = ReturnType<typeof fetchClient>;

export function fetchClient(url: string, session: Session) {
  return async function ask<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    let result = await post<Data>(url, session, { query: print(document), variables });
    if (session.isOpen() && isUnauthenticated(result.errors)) {
      await session.refresh();
      result = await post<Data>(url, session, { query: print(document), variables });
    }
    if (result.errors) throw new GraphQLErrors(result.errors);
    return result.data;
  };
}

/** Errors that a form cannot fix. `errors[0].extensions.code` is one of a closed list. */
export class GraphQLErrors extends Error {
  errors: TopLevelError[];

  constructor(errors: TopLevelError[]) {
    super(errors.map(({ message }) => message).join('\n'));
    this.errors = errors;
  }
}

type TopLevelError = { message: string; extensions: { code: string } };

export async function post<Data>(url: string, session: Session, body: object) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...session.headers() },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { data: Data; errors?: TopLevelError[] };
}

// #endregion

// #region sign-in
import { LoginDocument } from './gql/graphql.ts';

/** Returns the errors; none on success. */
export async function signIn(ask: Ask, session: Session, email: string, password: string) {
  const { login } = await ask(LoginDocument, { input: { email, password } });
  if (login) session.open(login);
  return login?.errors ?? [];
}

// #endregion

// #region feed
import { type ArticlePreviewFragment, FeedDocument } from './gql/graphql.ts';

/** The feed as far as it has been read. This is the only cache. */
export function readFeed(ask: Ask) {
  const articles: ArticlePreviewFragment[] = [];
  let after: string | null = null;
  let isComplete = false;
  return {
    articles,
    async more(): Promise<void> {
      if (isComplete) return;
      const { viewer } = await ask(FeedDocument, { first: 5, after });
      articles.push(...(viewer?.feed.edges ?? []).map(({ node }) => node));
      after = viewer?.feed.pageInfo.endCursor ?? null;
      isComplete = !viewer?.feed.pageInfo.hasNextPage;
    },
  };
}

// #endregion

// #region favorite
import { FavoriteArticleDocument } from './gql/graphql.ts';

/** Shows the article as a favourite at once, then the result of the server, or the old state if that fails. */
export async function favorite(
  ask: Ask,
  article: ArticlePreviewFragment,
  show: (article: ArticlePreviewFragment) => void,
) {
  show({ ...article, viewerHasFavorited: true, favoritesCount: article.favoritesCount + 1 });
  try {
    const { favoriteArticle } = await ask(FavoriteArticleDocument, { input: { article: { id: article.id } } });
    show(favoriteArticle?.article ?? article);
    return favoriteArticle?.errors ?? [];
  } catch (error) {
    show(article);
    throw error;
  }
}

// #endregion

// #region create
import { CreateArticleDocument, type CreateArticleInput } from './gql/graphql.ts';
import { messagesByField } from './session.ts';

export async function publish(ask: Ask, input: CreateArticleInput) {
  const { createArticle } = await ask(CreateArticleDocument, { input });
  return { article: createArticle?.article, messages: messagesByField(createArticle?.errors ?? []) };
}

/** Errors that a form cannot fix are thrown. Returns the API's error code, or undefined if the API was not reached. */
export const codeOf = (error: unknown) =>
  error instanceof GraphQLErrors ? error.errors[0]?.extensions.code : undefined;
// #endregion
