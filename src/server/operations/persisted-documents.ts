import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { ApolloServerPlugin, GraphQLRequest } from '@apollo/server';
import { InMemoryLRUCache, type KeyValueCache } from '@apollo/utils.keyvaluecache';
import { printExecutableGraphQLDocument } from '@graphql-tools/documents';
import type { FastifyRequest } from 'fastify';
import { type DocumentNode, type GraphQLFormattedError, parse } from 'graphql';
import { BadUserInput } from '../../graphql/errors.ts';
import { currentRequest } from '../http/current-request.ts';
import { MAX_TOKENS } from './operation-limits.ts';

/**
 * A request may send the SHA-256 of its document instead of the text: as `documentId` (GraphQL over HTTP) or as
 * `extensions.persistedQuery` (Apollo). Published documents are known from the start; others once they were sent with their
 * hash, unless only published ones are trusted.
 */
export function persistedDocuments({ published, trustedOnly }: PersistedDocumentsOptions) {
  // A client that sends the text may have formatted it differently, which matters if only published documents are trusted.
  const forms = (text: string) => (trustedOnly ? [text, asPublished(text)] : [text]);
  const known = new Map(published.flatMap((text) => forms(text).map((form) => [`${APQ_PREFIX}${sha256(form)}`, text])));
  const trustedHash = (text: string) => {
    const hash = sha256(text);
    return known.has(`${APQ_PREFIX}${hash}`) ? hash : sha256(asPublished(text));
  };
  const sent = new InMemoryLRUCache<string>({ max: 1000, maxSize: 2_000_000 });
  const cache: KeyValueCache<string> = {
    get: async (key) => known.get(key) ?? sent.get(key),
    set: (key, text) => sent.set(key, text),
    delete: (key) => sent.delete(key),
  };

  const plugin: ApolloServerPlugin = {
    async requestDidStart({ request }) {
      const { persistedQuery } = request.extensions ?? {};
      // Apollo prints it, and deep nesting would overflow the stack.
      if (typeof persistedQuery?.sha256Hash === 'object') persistedQuery.sha256Hash = '';
      // An operation that the REST API runs has no HTTP request of its own.
      const documentId = request.http && readDocumentId(currentRequest.getStore());
      if (documentId) setHash(request, documentId.slice('sha256:'.length));
      if (trustedOnly && request.query) {
        setHash(request, trustedHash(request.query));
        delete request.query; // from here on only the hash counts
      }
      return {
        async willSendResponse({ response: { body, http } }) {
          if (body.kind !== 'single' || !body.singleResult.errors?.some(isNotFound)) return;
          http.status = 400; // Apollo's 200 is for responses with data
          if (trustedOnly) body.singleResult.errors = body.singleResult.errors.map(withoutRetryMessage);
        },
      };
    },
  };
  return { cache, plugin };
}

export interface PersistedDocumentsOptions {
  readonly published: readonly string[];
  readonly trustedOnly: boolean;
}

/**
 * An LRU cache of parsed and validated documents, sized by their text. Apollo's own size calculation misses what a parsed
 * document retains: about eighty times its text; 100 kB of comments take 5 MB.
 */
export const documentCache = (): KeyValueCache<DocumentNode> =>
  new InMemoryLRUCache<DocumentNode>({
    maxSize: 200_000,
    sizeCalculation: ({ loc }) => loc?.source.body.length ?? 1,
  });

/** The text in the manifest's format. */
function asPublished(text: string): string {
  try {
    return printExecutableGraphQLDocument(parse(text, { maxTokens: MAX_TOKENS }));
  } catch {
    return text; // invalid, so not published
  }
}

/** The request's document id; undefined if it has none. */
export function readDocumentId(request: FastifyRequest | undefined): string | undefined {
  const parameters = (request?.method === 'POST' ? request.body : request?.query) as { documentId?: unknown } | null;
  const documentId = parameters?.documentId ?? undefined;
  if (documentId === undefined || (typeof documentId === 'string' && SHA256_ID.test(documentId))) return documentId;
  // Not as JSON, where deep nesting would overflow the stack.
  const shown = typeof documentId === 'string' ? `"${documentId}"` : inspect(documentId);
  const wanted = '"sha256:" and the SHA-256 of the document as 64 hexadecimal digits in lower case';
  throw Object.assign(new BadUserInput(`The documentId is ${shown.slice(0, 100)}; it must be ${wanted}.`), {
    statusCode: 400,
  });
}

function setHash(request: GraphQLRequest, sha256Hash: string): void {
  request.extensions = { ...request.extensions, persistedQuery: { version: 1, sha256Hash } };
}

const isNotFound = ({ extensions }: GraphQLFormattedError) => extensions?.code === 'PERSISTED_QUERY_NOT_FOUND';

/** Not Apollo's message, which makes clients send the full document. */
const withoutRetryMessage = (error: GraphQLFormattedError): GraphQLFormattedError =>
  isNotFound(error) ? { ...error, message: 'This server runs its published documents only, and this is none.' } : error;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const APQ_PREFIX = 'apq:';
const SHA256_ID = /^sha256:[0-9a-f]{64}$/;
