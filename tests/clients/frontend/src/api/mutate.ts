// #region mutate
import { CombinedGraphQLErrors } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import type { ResultOf, TypedDocumentNode, VariablesOf } from '@graphql-typed-document-node/core';
import { type FormEvent, useRef, useState } from 'react';

/**
 * Runs a document with one mutation. What goes wrong becomes sentences to show: the payload's errors, which a user can fix, and
 * all others, which are thrown. `done` gets the data if nothing did. `isStale` says that an edit was refused because somebody
 * else has changed the same thing.
 */
export function useMutate<Mutation extends TypedDocumentNode<Payload, any>>(
  mutation: Mutation,
  done: (data: ResultOf<Mutation>) => void = () => {},
) {
  const client = useApolloClient();
  const [sentences, setSentences] = useState<readonly string[]>([]);
  const [isStale, setStale] = useState(false);
  const [isRunning, setRunning] = useState(false);
  const running = useRef(false); // a second click may come before the button is disabled

  async function run(variables: VariablesOf<Mutation>): Promise<void> {
    if (running.current) return;
    running.current = true;
    setRunning(true);
    try {
      const { data } = await client.mutate<ResultOf<Mutation>>({ mutation, variables });
      const errors = Object.values(data ?? {})[0]?.errors ?? [];
      setSentences(errors.map(({ sentence }) => sentence));
      setStale(errors.some(({ __typename }) => __typename === 'StaleVersionError'));
      if (data && errors.length === 0) done(data);
    } catch (error) {
      setSentences(sentencesOf(error));
      setStale(false);
    } finally {
      running.current = false;
      setRunning(false);
    }
  }
  return { run, sentences, isStale, isRunning };
}

type Payload = Record<string, { readonly errors: readonly PayloadError[] } | null>;
type PayloadError = { readonly __typename: string; readonly sentence: string };

export const sentencesOf = (error: unknown): string[] =>
  CombinedGraphQLErrors.is(error)
    ? error.errors.map(({ message, extensions }) => String(extensions?.sentence ?? message))
    : ['The server cannot be reached. Try again in a moment.'];

/** An `onSubmit` that gets the fields of the form by their names, and the value of the button that was pressed. */
export const submitting =
  <Fields extends object>(send: (fields: Fields) => void) =>
  (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const { submitter } = event.nativeEvent as SubmitEvent;
    send(Object.fromEntries(new FormData(event.currentTarget, submitter)) as Fields);
  };
// #endregion
