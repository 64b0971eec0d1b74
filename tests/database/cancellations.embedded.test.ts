import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Cancellations } from '../../src/database/cancellations.ts';

/** A server that takes requests to cancel, each for a moment. */
async function openServer() {
  const seen = { requests: [] as { code: number; processID: number; secretKey: number }[], most: 0 };
  let open = 0;
  const server = createServer((socket) => {
    open += 1;
    seen.most = Math.max(seen.most, open);
    socket.on('data', (bytes) => {
      const [code, processID, secretKey] = [4, 8, 12].map((at) => bytes.readInt32BE(at)) as [number, number, number];
      seen.requests.push({ code, processID, secretKey });
      setTimeout(() => socket.destroy(), 20);
    });
    socket.on('close', () => {
      open -= 1;
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const connection = (processID: number) =>
    ({ host: '127.0.0.1', port, ssl: false, sslNegotiation: 'postgres', processID, secretKey: 7 }) as never;
  /** Statements run until the server has a request of them, or so many. */
  const isRunning =
    (processID: number, requests = 1) =>
    () =>
      seen.requests.filter((request) => request.processID === processID).length < requests;
  return { seen, connection, isRunning };
}

test('a statement is cancelled by the process and the secret that the server gave its connection', async () => {
  const { seen, connection, isRunning } = await openServer();
  await new Cancellations().cancel(connection(42), isRunning(42));
  expect(seen.requests).toEqual([{ code: CANCEL_REQUEST, processID: 42, secretKey: 7 }]);
});

test('at most two connections are open for it, however many clients leave together', async () => {
  const { seen, connection, isRunning } = await openServer();
  const cancellations = new Cancellations();
  await Promise.all(Array.from({ length: 12 }, (_, n) => cancellations.cancel(connection(n), isRunning(n))));
  expect(seen.requests.map(({ processID }) => processID).toSorted((a, b) => a - b)).toEqual([...Array(12).keys()]);
  expect(seen.most).toBe(2);
});

test('a statement that goes on, as one that waits for a connection of a pooler, is cancelled again', async () => {
  const { seen, connection, isRunning } = await openServer();
  await new Cancellations().cancel(connection(42), isRunning(42, 3));
  expect(seen.requests).toHaveLength(3);
});

test('a statement that is done meanwhile is not cancelled', async () => {
  const { seen, connection, isRunning } = await openServer();
  const cancellations = new Cancellations();
  const running = new Set([0, 1, 2, 3, 4]);
  const all = [...running].map((n) => cancellations.cancel(connection(n), () => running.has(n) && isRunning(n)()));
  for (const n of [2, 3, 4]) running.delete(n);
  await Promise.all(all);
  expect(seen.requests.map(({ processID }) => processID).toSorted((a, b) => a - b)).toEqual([0, 1]);
});

/** 1234 and 5678 in the two halves of the number. */
const CANCEL_REQUEST = 80_877_102;
