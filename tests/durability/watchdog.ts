import { openEmbedded } from '../../src/database/embedded/embedded.ts';
import { cstring, int32, query } from '../../src/database/embedded/messages.ts';
import { WireClient } from '../../src/database/embedded/wire-client.ts';
import type { Rig } from './rig.ts';

/** A slow statement leaves the event loop alone; a runaway one is ended, and the next one works. */
export async function watchdog({ folder, note }: Rig): Promise<void> {
  const database = await openEmbedded({ folder: `${folder}/data`, statementDeadline: 3000 });
  const client = new WireClient(database.connection);
  const body = Buffer.concat([int32(3 << 16), ...['user', 'postgres'].map(cstring), Buffer.from([0])]);
  await client.send(Buffer.concat([int32(body.length + 4), body]));
  await ready(client);
  let late = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    late = Math.max(late, performance.now() - last - 10);
    last = performance.now();
  }, 10);
  await client.send(query('select count(*) from generate_series(1, 100000000000)'));
  const fault = await ready(client);
  clearInterval(timer);
  await client.send(query('select 1'));
  const next = await ready(client);
  client.close();
  await database.close();
  if (fault !== '57014' || next !== undefined) throw new Error(`The runaway got ${fault}, the next one ${next}.`);
  note(
    `during a 3 s statement the event loop was at most ${Math.round(late)} ms late; it was ended, the next one worked`,
  );
  if (late > 100) throw new Error('The event loop was over 100 ms late.');
}

async function ready(client: WireClient): Promise<string | undefined> {
  for (let code: string | undefined; ; ) {
    const said = await client.next();
    if (said.type === 'E') code = /C([0-9A-Z]{5})\0/.exec(said.bytes.toString('latin1'))?.[1];
    if (said.type === 'Z') return code;
  }
}
