import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Bounds the memory of responses that clients are slow to read: one that is not read stays in memory until its connection
 * ends. Over the limit, the connections with the oldest unread responses are closed.
 */
export function limitUnreadResponses(server: FastifyInstance): void {
  const unread = new Map<object, { length: number; socket: Socket }>();
  let characters = 0;
  const remove = (response: object) => {
    characters -= unread.get(response)?.length ?? 0;
    unread.delete(response);
  };
  const track = (response: ServerResponse, { length }: string, socket: Socket) => {
    unread.set(response, { length, socket });
    characters += length;
    response.once('close', () => remove(response));
    for (const [oldest, { socket: slow }] of unread) {
      if (characters <= MAX_UNREAD || oldest === response) return;
      remove(oldest);
      slow.destroy();
    }
  };
  server.addHook('onSend', (request, reply, payload, done) => {
    if (typeof payload === 'string' && payload.length >= SOCKET_BUFFER) track(reply.raw, payload, request.raw.socket);
    done(null, payload);
  });
}

/** Characters, of all responses of a process. */
const MAX_UNREAD = 25_000_000;

/** Characters. Shorter responses fit into the socket's buffers. */
const SOCKET_BUFFER = 50_000;
