import { createHmac } from 'node:crypto';
import type { Context } from '../../auth/context.ts';
import { networkOf } from '../../auth/login-throttle.ts';

/** The parts of a request that identify its reader. */
export type Reader = Pick<Context, 'viewer' | 'address' | 'userAgent'>;

/** Whether the client says that it is a crawler, a link preview or a script. A signed-in user is a reader with any client. */
export const isBot = ({ viewer, userAgent }: Reader): boolean => viewer === null && SAYS_BOT.test(userAgent);

/**
 * The words with which programs name themselves, or the address of a page about them. CUBOT is a brand of phones. Libraries for
 * apps, such as okhttp, are not listed: the reader may be a person.
 */
const SAYS_BOT =
  /(?<!cu)bot|crawl|spider|slurp|scrap|preview|monitor|headless|lighthouse|facebookexternalhit|https?:\/\/|^(curl|wget|python|go-http-client)/i;

/**
 * Names readers by a hash: the viewer, or the network and the user agent of a client that is signed out. Its key is another one every
 * day, so that readers cannot be followed from day to day. All servers with the same SECRET_KEY name them alike.
 */
export class ReaderIds {
  private day = '';
  private key = Buffer.alloc(0);

  constructor(private readonly secretKey: string) {}

  idOf({ viewer, address, userAgent }: Reader, now = new Date()): string {
    const day = now.toISOString().slice(0, 10);
    if (day !== this.day) {
      this.day = day;
      this.key = hmac(this.secretKey, `readers of ${day}`);
    }
    const named = viewer ? ['viewer', viewer.id] : ['client', networkOf(address), userAgent];
    return hmac(this.key, named.join('\0')).toString('base64url').slice(0, LENGTH);
  }
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** 132 bits, so that no two readers share one. */
const LENGTH = 22;
