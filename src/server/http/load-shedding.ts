import type { FastifyInstance, FastifyReply } from 'fastify';
import { RETRY_AFTER } from '../../graphql/errors.ts';

/**
 * Limits concurrent requests and sheds the rest with 503. Every request that needs the database or the processor queues here
 * first, so these limits bound every queue behind it: a request is shed when the queue is full or its wait would be too long,
 * and none is started whose client has disconnected.
 */
export class LoadShedder {
  shed = 0;
  private running = 0;
  /** In order of arrival. Called with `false` when the wait is too long or the client disconnects. */
  private readonly queue = new Set<(admitted: boolean) => void>();
  /** Moving average of the milliseconds between two admissions from the queue. */
  private admissionInterval = 0;
  private lastAdmission = 0;

  constructor(private readonly limits: LoadLimits) {}

  get inFlight(): number {
    return this.running + this.queue.size;
  }

  /** Rejects before the body is read, so that a shed request costs almost nothing. */
  rejectWhenFull(scope: FastifyInstance, overloaded = OVERLOADED): void {
    scope.addHook('onRequest', (_request, reply, next) => {
      if (this.isFull) this.reject(reply, overloaded);
      else next();
    });
  }

  /** Runs the work once there is a slot. Slow bodies hold none; work whose client disconnects keeps its slot until it ends. */
  async run<T>(reply: FastifyReply, work: () => Promise<T>, overloaded = OVERLOADED): Promise<T | FastifyReply> {
    if (!(await this.acquireSlot(reply))) return isDisconnected(reply) ? reply : this.reject(reply, overloaded);
    try {
      return await work();
    } finally {
      this.releaseSlot();
    }
  }

  private async acquireSlot(reply: FastifyReply): Promise<boolean> {
    if (this.isFull || isDisconnected(reply)) return false;
    if (this.running < MAX_CONCURRENT) {
      this.running += 1;
      return true;
    }
    if (this.queue.size === 0) this.startQueue();
    return new Promise((resolve) => {
      const settle = (admitted: boolean) => {
        clearTimeout(timer);
        reply.raw.off('close', disconnect);
        this.queue.delete(settle);
        resolve(admitted);
      };
      const disconnect = () => settle(false);
      const timer = setTimeout(settle, this.limits.maxWaitMilliseconds, false);
      reply.raw.once('close', disconnect);
      this.queue.add(settle);
    });
  }

  /** An old average says nothing about the current pace. */
  private startQueue(): void {
    const now = performance.now();
    if (now - this.lastAdmission > this.limits.maxWaitMilliseconds) this.admissionInterval = 0;
    this.lastAdmission = now;
  }

  private releaseSlot(): void {
    const [next] = this.queue;
    if (next) {
      const now = performance.now();
      this.admissionInterval += (now - this.lastAdmission - this.admissionInterval) / AVERAGED_ADMISSIONS;
      this.lastAdmission = now;
      next(true);
    } else this.running -= 1;
  }

  /** Also when the expected wait is too long. An empty queue always accepts one request, which measures the pace anew. */
  private get isFull(): boolean {
    const { maxInFlight, maxWaitMilliseconds } = this.limits;
    return this.inFlight >= maxInFlight || this.queue.size * this.admissionInterval > maxWaitMilliseconds;
  }

  private reject(reply: FastifyReply, overloaded: string): FastifyReply {
    this.shed += 1;
    shedReplies.add(reply);
    return reply.code(503).header('retry-after', RETRY_AFTER).type('application/json; charset=utf-8').send(overloaded);
  }
}

export const wasShed = (reply: FastifyReply): boolean => shedReplies.has(reply);

const shedReplies = new WeakSet<FastifyReply>();

const isDisconnected = ({ raw }: FastifyReply): boolean => raw.destroyed;

export interface LoadLimits {
  readonly maxInFlight: number;
  /** Milliseconds. */
  readonly maxWaitMilliseconds: number;
}

/** Enough to keep the connection pool and a processor busy; more would only add contention. */
const MAX_CONCURRENT = 50;

const AVERAGED_ADMISSIONS = 50;

export const OVERLOADED_MESSAGE = 'The server has all the work that it can do just now.';

const OVERLOADED = JSON.stringify({
  errors: [
    {
      message: OVERLOADED_MESSAGE,
      extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true },
    },
  ],
});
