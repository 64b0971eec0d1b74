import Negotiator from 'negotiator';

export type ResponseType = (typeof RESPONSE_TYPES)[number];

/** The media types of responses, the preferred one first. */
export const RESPONSE_TYPES = ['application/json', 'application/graphql-response+json'] as const;

/**
 * The response type that the Accept header prefers; undefined if it allows none. Responses are in UTF-8, so a header may
 * say `charset=utf-8` and exclude other charsets. Other parameters say nothing about a response of this server.
 */
export function preferredType(accept: string | undefined): ResponseType | undefined {
  if (!accept || accept === '*/*') return RESPONSE_TYPES[0];
  const [preferred] = new Negotiator({ headers: { accept: withoutParameters(accept) } }).mediaTypes(IN_UTF8);
  return RESPONSE_TYPES.find((type) => preferred?.startsWith(`${type};`));
}

/** Whether the Accept header prefers a page to a GraphQL response, as those of browsers do when they navigate. */
export const prefersPage = (accept: string | undefined): boolean =>
  accept !== undefined &&
  new Negotiator({ headers: { accept: withoutParameters(accept) } }).mediaType([...IN_UTF8, PAGE]) === PAGE;

const CHARSET = '; charset=utf-8';
const IN_UTF8 = RESPONSE_TYPES.map((type) => `${type}${CHARSET}`);
const PAGE = `text/html${CHARSET}`;

/** Keeps the weight (`q`) and the charset of each media range. */
const withoutParameters = (accept: string) =>
  accept.replace(OTHER_PARAMETER, '').replace(UTF8_WITHOUT_HYPHEN, '$1utf-8');

const OTHER_PARAMETER = /;[ \t]*(?!(?:q|charset)[ \t]*=)[^ \t;,="]+[ \t]*=[ \t]*(?:"(?:[^"\\]|\\.)*"|[^ \t;,"]*)/gi;
const UTF8_WITHOUT_HYPHEN = /(\bcharset[ \t]*=[ \t]*"?)utf8\b/gi;
