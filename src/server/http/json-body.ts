import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BadUserInput } from '../../graphql/errors.ts';

/** Bodies of the scope's requests are JSON in UTF-8, not compressed. So a form of another site, which is neither, cannot post. */
export function acceptOnlyJson(scope: FastifyInstance): void {
  scope.removeContentTypeParser('text/plain');
  requireUtf8Json(scope);
  rejectOtherForms(scope);
}

/** The same, or no body at all, whatever type the request names: many clients name one although they send nothing. */
export function acceptJsonOrNothing(scope: FastifyInstance): void {
  scope.removeContentTypeParser('text/plain');
  requireUtf8Json(scope, { orNothing: true });
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, ({ headers }, body, done) => {
    if (body.length === 0) return done(null, undefined);
    const problem = `The content type is "${headers['content-type']}"; it must be application/json.`;
    done(Object.assign(new BadUserInput(problem), { statusCode: 415 }));
  });
  rejectOtherForms(scope);
}

function rejectOtherForms(scope: FastifyInstance): void {
  scope.addHook('onRequest', syncHook(rejectOtherCharsets));
  scope.addHook('onRequest', syncHook(rejectEncodings));
}

/** A check as a hook without a promise, which would delay every request by a microtask. */
export const syncHook =
  (check: (request: FastifyRequest) => unknown) =>
  (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    let error: Error | undefined;
    try {
      check(request);
    } catch (thrown) {
      error = thrown as Error;
    }
    done(error);
  };

/** JSON is UTF-8 (RFC 8259). In another charset, a proxy and the server would read different documents. */
function rejectOtherCharsets({ headers }: FastifyRequest): void {
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '') ?? [];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw Object.assign(new BadUserInput(`The charset of the body is "${charset}"; it must be utf-8.`), {
    statusCode: 415,
  });
}

/** Invalid UTF-8 would be stored as something other than what was sent. */
function requireUtf8Json(scope: FastifyInstance, { orNothing = false } = {}): void {
  const readJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (orNothing && body.length === 0) done(null, undefined);
    else if (isUtf8(body)) readJson(request, body.toString(), done);
    else done(Object.assign(new BadUserInput('The body is not in UTF-8; it must be.'), { statusCode: 400 }));
  });
}

/** A small compressed body can expand to a huge one, and a proxy may read a wrongly labelled one differently. */
function rejectEncodings({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || /^(identity)?$/i.test(encoding)) return;
  throw Object.assign(new BadUserInput(`The encoding of the body is "${encoding}"; it must not be compressed.`), {
    statusCode: 415,
  });
}
