import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { MAX_READ_BYTES } from '../../../src/reading/read-batch.ts';
import { statementsDuring } from '../../support/statements.ts';
import { anArticle, aUser } from '../../support/test-data.ts';
import { address, executeGraphql } from '../../support/test-server.ts';

const sockets: Socket[] = [];
afterEach(() => sockets.splice(0).map((socket) => socket.destroy()));

/** 100,000 characters, each six characters long in JSON. */
const LONG_IN_JSON = '\u0001'.repeat(100_000);

const bodies = (first: number) => `articles(first: ${first}) { nodes { body } }`;

async function longArticles(count: number) {
  const by = await aUser();
  for (let made = 0; made < count; made += 1) await anArticle({ by, body: LONG_IN_JSON });
}

test('a response over the size limit is rejected, also across several fields', async () => {
  await longArticles(9);
  expect(await executeGraphql(`{ ${bodies(8)} }`)).toSucceed();
  const tooLarge = { code: 'QUERY_TOO_COMPLEX', limit: 'bytes', maximum: MAX_READ_BYTES };
  for (const query of [`{ ${bodies(9)} }`, `{ ${bodies(5)} again: ${bodies(5)} }`]) {
    const { data, errors } = await executeGraphql(query);
    expect({ data, errors }, query).toMatchObject({ data: null, errors: [{ extensions: tooLarge }] });
  }
  expect(await statementsDuring(() => executeGraphql(`{ ${bodies(1)} }`))).toHaveLength(1);
});

test('of clients that do not read responses, the oldest are disconnected', async () => {
  await longArticles(8);
  const unread = (number: number) => {
    const body = JSON.stringify({ query: `{ ${bodies(8)} }` });
    const socket = connect(Number(new URL(address).port), '127.0.0.1').pause();
    sockets.push(socket);
    socket.on('error', () => {});
    const head = ['POST /graphql HTTP/1.1', 'Host: x', 'Content-Type: application/json', `X-Request-Id: ${number}`];
    socket.write(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    return new Promise((resolve) => socket.once('readable', () => resolve(socket)));
  };
  for (let number = 0; number < 8; number += 1) await unread(number);
  const whole = await Promise.all(sockets.map(receivedLength));
  expect(whole.map((length) => length > 4_800_000)).toEqual([...Array(3).fill(false), ...Array(5).fill(true)]);
});

/** Characters received until the response is complete or the connection closes. */
function receivedLength(socket: Socket): Promise<number> {
  let length = 0;
  return new Promise((resolve) => {
    socket.on('data', (bytes) => {
      length += bytes.length;
      if (length > 4_800_000) resolve(length);
    });
    socket.once('close', () => resolve(length));
    socket.resume();
  });
}
