import { type EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientBase, Connection } from 'pg';

/**
 * Cancels statements by the protocol's request, which poolers pass on; they make up the process ids that
 * `pg_cancel_backend` would take. Each request is a connection for a moment, and few are open at a time, so that clients
 * that leave together do not use up the connections of the database.
 */
export class Cancellations {
  private open = 0;
  private readonly waiting: (() => void)[] = [];

  /**
   * Cancels what the connection runs, until it is done. A pooler ignores the request while the statement waits for one of its
   * connections.
   */
  async cancel(client: ClientBase, isRunning: () => boolean): Promise<void> {
    while (isRunning()) {
      await this.request(client, isRunning);
      await sleep(REPEAT_AFTER, undefined, { ref: false });
    }
  }

  /** Sends a request once few enough are open, unless the statement is done by then. */
  private async request(client: ClientBase, isRunning: () => boolean): Promise<void> {
    if (this.open >= MAX_OPEN) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.open += 1;
    try {
      if (isRunning()) await sendCancelRequest(client as ClientBase & ConnectedClient);
    } catch {
      // Sent again, or the statement ends by its own timeout.
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.open -= 1;
    }
  }
}

/** What the types of pg leave out. */
interface ConnectedClient {
  readonly host: string;
  readonly port: number;
  readonly ssl: object | boolean;
  readonly sslNegotiation: string;
  readonly processID: number;
  readonly secretKey: number;
}

interface CancelConnection extends EventEmitter {
  readonly stream: Socket;
  connect(portOrSocket: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

/** With the same TLS as the connection, because the request contains a secret. */
async function sendCancelRequest(client: ConnectedClient): Promise<void> {
  const { ssl, sslNegotiation } = client;
  const connection = new Connection({ ssl, sslNegotiation } as object) as unknown as CancelConnection;
  const closed = once(connection, 'end');
  closed.catch(() => {});
  connection.on('error', () => {});
  const request = () => connection.cancel(client.processID, client.secretKey);
  connection.once('connect', () => {
    if (!ssl) request();
    else if (sslNegotiation !== 'direct') connection.requestSsl();
  });
  connection.once('sslconnect', request);
  const timeout = setTimeout(() => connection.stream.destroy(), TIMEOUT);
  try {
    if (client.host.startsWith('/')) connection.connect(`${client.host}/.s.PGSQL.${client.port}`);
    else connection.connect(client.port, client.host);
    await closed; // the server closes the connection once it has the request
  } finally {
    clearTimeout(timeout);
  }
}

const MAX_OPEN = 2;

/** Milliseconds. */
const TIMEOUT = 2_000;
const REPEAT_AFTER = 100;
