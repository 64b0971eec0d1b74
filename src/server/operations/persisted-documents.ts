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
 * A request may name its document instead of bringing it: as `documentId`, as GraphQL over HTTP has it, or as
 * `extensions.persistedQuery`, as Apollo has it. Either way the name is the SHA-256 of the text. What is published is
 * known from the start, anything else once it was sent along with its name; or never, when only the published is trusted.
 */
export function persistedDocuments({ published, trustedOnly }: PersistedDocumentsParts) {
  // Who sends the text itself may have printed it otherwise, which counts where nothing else is trusted.
  const forms = (text: string) => (trustedOnly ? [text, asPublished(text)] : [text]);
  const known = new Map(
    published.flatMap((text) => forms(text).map((form) => [`${APOLLOS_PREFIX}${sha256(form)}`, text])),
  );
  const trustedName = (text: string) => {
    const name = sha256(text);
    return known.has(`${APOLLOS_PREFIX}${name}`) ? name : sha256(asPublished(text));
  };
  const sent = new InMemoryLRUCache<string>({ max: 1000, maxSize: 2_000_000 });
  const cache: KeyValueCache<string> = {
    get: async (name) => known.get(name) ?? sent.get(name),
    set: (name, text) => sent.set(name, text),
    delete: (name) => sent.delete(name),
  };

  const plugin: ApolloServerPlugin = {
    async requestDidStart({ request }) {
      const { persistedQuery } = request.extensions ?? {};
      // Apollo writes it out, and what is nested deep enough has no end to that.
      if (typeof persistedQuery?.sha256Hash === 'object') persistedQuery.sha256Hash = '';
      const documentId = readDocumentId(currentRequest.getStore());
      if (documentId) nameDocument(request, documentId.slice('sha256:'.length));
      if (trustedOnly && request.query) {
        nameDocument(request, trustedName(request.query));
        delete request.query; // from here on it is found among the published ones, or not at all
      }
      return {
        async willSendResponse({ response: { body, http } }) {
          if (body.kind !== 'single' || !body.singleResult.errors?.some(isNotFound)) return;
          http.status = 400; // Apollo says 200, which is for answers that have data
          if (trustedOnly) body.singleResult.errors = body.singleResult.errors.map(inOtherWords);
        },
      };
    },
  };
  return { cache, plugin };
}

export interface PersistedDocumentsParts {
  readonly published: readonly string[];
  readonly trustedOnly: boolean;
}

/**
 * The documents that were parsed and validated last. Measured by their text, for Apollo's own measure leaves out what a parsed
 * document holds on to: some eighty times its text, and 100 kB of comments are 5 MB.
 */
export const documentCache = (): KeyValueCache<DocumentNode> =>
  new InMemoryLRUCache<DocumentNode>({
    maxSize: 200_000,
    sizeCalculation: ({ loc }) => loc?.source.body.length ?? 1,
  });

/** The text as the manifest has it, however a client has printed the same operation. */
function asPublished(text: string): string {
  try {
    return printExecutableGraphQLDocument(parse(text, { maxTokens: MAX_TOKENS }));
  } catch {
    return text; // no document, and so none that was published
  }
}

/** What the request calls its document; undefined when it does not. */
export function readDocumentId(request: FastifyRequest | undefined): string | undefined {
  const parameters = (request?.method === 'GET' ? request.query : request?.body) as { documentId?: unknown } | null;
  const documentId = parameters?.documentId ?? undefined;
  if (documentId === undefined || (typeof documentId === 'string' && SHA256_ID.test(documentId))) return documentId;
  // Not in JSON, which has no end to what is nested deep enough.
  const shown = typeof documentId === 'string' ? `"${documentId}"` : inspect(documentId);
  const wanted = '"sha256:" and the SHA-256 of the document as 64 hexadecimal digits in lower case';
  throw Object.assign(new BadUserInput(`The documentId is ${shown.slice(0, 100)}; it must be ${wanted}.`), {
    statusCode: 400,
  });
}

function nameDocument(request: GraphQLRequest, sha256Hash: string): void {
  request.extensions = { ...request.extensions, persistedQuery: { version: 1, sha256Hash } };
}

const isNotFound = ({ extensions }: GraphQLFormattedError) => extensions?.code === 'PERSISTED_QUERY_NOT_FOUND';

/** In other words than Apollo's, by which clients know that they should send the whole document. */
const inOtherWords = (error: GraphQLFormattedError): GraphQLFormattedError =>
  isNotFound(error) ? { ...error, message: 'This server runs its published documents only, and this is none.' } : error;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const APOLLOS_PREFIX = 'apq:';
const SHA256_ID = /^sha256:[0-9a-f]{64}$/;
