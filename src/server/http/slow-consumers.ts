import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Bounds what waits in memory for clients to take it: large answers are quickly asked for, and who does not read them keeps
 * them here until the connection ends. Beyond the bound, who has waited longest is hung up on.
 */
export function limitUnreadResponses(server: FastifyInstance): void {
  const unread = new Map<object, { length: number; socket: Socket }>();
  let characters = 0;
  const forget = (answer: object) => {
    characters -= unread.get(answer)?.length ?? 0;
    unread.delete(answer);
  };
  const remember = (answer: ServerResponse, { length }: string, socket: Socket) => {
    unread.set(answer, { length, socket });
    characters += length;
    answer.once('close', () => forget(answer));
    for (const [oldest, waiting] of unread) {
      if (characters <= MOST_UNREAD || oldest === answer) return;
      forget(oldest);
      waiting.socket.destroy();
    }
  };
  server.addHook('onSend', (request, reply, payload, done) => {
    if (typeof payload === 'string' && payload.length >= TAKEN_AT_ONCE)
      remember(reply.raw, payload, request.raw.socket);
    done(null, payload);
  });
}

/** Characters, of all answers of a process together. */
const MOST_UNREAD = 25_000_000;

/** What is shorter fits into the buffers of the sockets. */
const TAKEN_AT_ONCE = 50_000;
