import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyRequest } from 'fastify';

/** The HTTP request being served, for Apollo's plugins and the statement hook of the pool, which do not receive it. */
export const currentRequest = new AsyncLocalStorage<FastifyRequest>();
