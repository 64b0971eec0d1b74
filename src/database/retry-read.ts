import { isBrokenConnection } from './database-errors.ts';

/** Retries a read once when its connection broke, since the next one may work. */
export async function retryRead<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isBrokenConnection(error)) throw error;
    return await read();
  }
}
