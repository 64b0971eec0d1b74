import type { FastifyInstance, FastifyReply } from 'fastify';
import { RETRY_AFTER } from '../../graphql/errors.ts';

/**
 * How much is being worked on, and who waits for a turn. All that waits for the database or the processor waits in here,
 * so its bounds are those of every queue behind it: who comes to a full house, or would wait for too long, is told to
 * come again, and nothing is begun that nobody will wait for.
 */
export class LoadShedder {
  shed = 0;
  private working = 0;
  /** In the order they came; a turn is `true`, or `false` when it did not come in time, or nobody waits for it any more. */
  private readonly waiting = new Set<(turn: boolean) => void>();
  /** Of late, the milliseconds from one turn to the next while others waited. */
  private pace = 0;
  private lastTurn = 0;

  constructor(private readonly limits: LoadLimits) {}

  get inFlight(): number {
    return this.working + this.waiting.size;
  }

  /** Refuses by the headers alone, before a body is read: what is refused is to cost next to nothing. */
  refuseEarly(scope: FastifyInstance): void {
    scope.addHook('onRequest', (_request, reply, next) => {
      if (this.isFull) this.refuse(reply);
      else next();
    });
  }

  /** Works on it when its turn comes. Slow bodies have none yet; work whose client has gone keeps its own to the end. */
  async take<T>(reply: FastifyReply, work: () => Promise<T>): Promise<T | FastifyReply> {
    if (!(await this.turn(reply))) return hasLeft(reply) ? reply : this.refuse(reply);
    try {
      return await work();
    } finally {
      this.passOn();
    }
  }

  private async turn(reply: FastifyReply): Promise<boolean> {
    if (this.isFull || hasLeft(reply)) return false;
    if (this.working < AT_ONCE) {
      this.working += 1;
      return true;
    }
    if (this.waiting.size === 0) this.beginToWait();
    return new Promise((resolve) => {
      const settle = (turn: boolean) => {
        clearTimeout(late);
        reply.raw.off('close', leave);
        this.waiting.delete(settle);
        resolve(turn);
      };
      const leave = () => settle(false);
      const late = setTimeout(settle, this.limits.longestWait, false);
      reply.raw.once('close', leave);
      this.waiting.add(settle);
    });
  }

  /** How turns went long ago says nothing of how they will go. */
  private beginToWait(): void {
    const now = performance.now();
    if (now - this.lastTurn > this.limits.longestWait) this.pace = 0;
    this.lastTurn = now;
  }

  private passOn(): void {
    const [next] = this.waiting;
    if (next) {
      const now = performance.now();
      this.pace += (now - this.lastTurn - this.pace) / TURNS_OF_LATE;
      this.lastTurn = now;
      next(true);
    } else this.working -= 1;
  }

  /** Also while turns go so slowly that who comes now would wait in vain. One may always wait: their turn tells the pace. */
  private get isFull(): boolean {
    const { mostInFlight, longestWait } = this.limits;
    return this.inFlight >= mostInFlight || this.waiting.size * this.pace > longestWait;
  }

  private refuse(reply: FastifyReply): FastifyReply {
    this.shed += 1;
    turnedAway.add(reply);
    return reply.code(503).header('retry-after', RETRY_AFTER).type('application/json; charset=utf-8').send(FULL);
  }
}

/** Whether it was refused for want of room: then there is nothing to tell but that it came. */
export const wasShed = (reply: FastifyReply): boolean => turnedAway.has(reply);

const turnedAway = new WeakSet<FastifyReply>();

/** Its connection is closed: whatever is done for it, nobody hears of it. */
const hasLeft = ({ raw }: FastifyReply): boolean => raw.destroyed;

export interface LoadLimits {
  readonly mostInFlight: number;
  /** Milliseconds. */
  readonly longestWait: number;
}

/** Enough to keep a pool of connections and a processor busy; more would only take turns on them. */
const AT_ONCE = 50;

const TURNS_OF_LATE = 50;

const FULL = JSON.stringify({
  errors: [
    {
      message: 'The server has all the work that it can do just now.',
      extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true },
    },
  ],
});
