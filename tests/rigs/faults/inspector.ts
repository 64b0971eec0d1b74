import { until } from './rig.ts';

/** Inspects a server that runs with --inspect, over the Chrome DevTools Protocol. */
export class Inspector {
  private last = 0;
  private readonly waiting = new Map<number, (result: unknown) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data));
      this.waiting.get(id)?.(result);
      this.waiting.delete(id);
    });
  }

  /** `output` is what the server has printed, including the address of its inspector. */
  static async connect(output: string): Promise<Inspector> {
    const [address] = /ws:\/\/\S+/.exec(output) ?? [];
    if (!address) throw new Error(`The server runs without --inspect:\n${output}`);
    const socket = new WebSocket(address);
    await until('the inspector accepts connections', () => socket.readyState === WebSocket.OPEN);
    return new Inspector(socket);
  }

  /** Bytes of the heap in use after a garbage collection. */
  async heapAfterCollection(): Promise<number> {
    await this.send('HeapProfiler.collectGarbage');
    return ((await this.send('Runtime.getHeapUsage')) as { usedSize: number }).usedSize;
  }

  close(): void {
    this.socket.close();
  }

  private send(method: string): Promise<unknown> {
    this.last += 1;
    const response = new Promise((resolve) => this.waiting.set(this.last, resolve));
    this.socket.send(JSON.stringify({ id: this.last, method }));
    return response;
  }
}
