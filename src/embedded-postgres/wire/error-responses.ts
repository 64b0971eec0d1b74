import { EngineStopped } from '../engine/engine.ts';
import * as wire from '../protocol.ts';
import { TurnRefused } from './session-queue.ts';

/** What a client is told when its statement did not get to PostgreSQL, or did not come back from it. */
export function toldFault(error: unknown): wire.Fault {
  if (error instanceof TurnRefused) {
    const code = error.message.includes('cancelled') ? '57014' : '55P03';
    const message = `The embedded database serves one transaction at a time, and this one was not served: ${error.message}.`;
    return { code, message };
  }
  const code = error instanceof EngineStopped ? error.code : 'XX000';
  return { code, message: error instanceof Error ? error.message : String(error) };
}

/** A write refused because the session is read-only is refused because the disk is full: so the client is told. */
export function inTheDisksName(bytes: Buffer, refused: string): Buffer {
  const reader = new wire.MessageReader();
  reader.push(bytes);
  const told: Buffer[] = [];
  for (let answer = reader.next(); answer !== undefined; answer = reader.next()) {
    const isRefusal = answer.type === 'E' && wire.errorFields(answer.bytes).C === '25006';
    told.push(isRefusal ? wire.errorResponse({ code: '53100', message: refused }) : answer.bytes);
  }
  return Buffer.concat(told);
}

export class LocksTaken extends EngineStopped {
  constructor() {
    super(
      '55P03',
      'Another connection has advisory locks of its session; the embedded database lets one at a time have any.',
    );
  }
}

export class TransactionLost extends EngineStopped {
  constructor() {
    super('57P02', 'The transaction was lost: the embedded database restarted meanwhile.');
  }
}
