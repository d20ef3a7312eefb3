import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

type Predicate = (line: string, number: number) => boolean;

interface Waiter {
  readonly wanted: Predicate;
  readonly resolve: (line: string) => void;
}

/** A TCP server on the loopback interface that collects the lines it is sent, from all connections. */
export class LineReceiver {
  /** All complete lines since the start, without line ends; they outlive {@link kill}. */
  readonly lines: string[] = [];
  /** Connections accepted since the start. */
  connections = 0;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private waiters: Waiter[] = [];
  private onLine: ((line: string) => void) | undefined;

  private constructor(private usedPort: number) {}

  /** A receiver that listens on a free port. @param onLine called for each line as it comes */
  static async create(onLine?: (line: string) => void): Promise<LineReceiver> {
    const receiver = new LineReceiver(0);
    receiver.onLine = onLine;
    await receiver.listen();
    return receiver;
  }

  get port(): number {
    return this.usedPort;
  }

  /** host:port, as the arguments of proxtop take it. */
  get target(): string {
    return `127.0.0.1:${this.usedPort}`;
  }

  /** The number-th line since the start, counted from 1; resolves at once when it is there. */
  nth(number: number): Promise<string> {
    return this.first((_, index) => index === number);
  }

  /** The first line, of those there and those to come, for which `wanted` holds; it gets the line's number too. */
  first(wanted: Predicate): Promise<string> {
    const there = this.lines.find((line, index) => wanted(line, index + 1));
    return there === undefined ? this.next(wanted) : Promise.resolve(there);
  }

  /** The first line from now on for which `wanted` holds. */
  next(wanted: Predicate = () => true): Promise<string> {
    return new Promise((resolve) => this.waiters.push({ wanted, resolve }));
  }

  /** Breaks all connections with a reset and stops listening: connecting to the port is refused from here on. */
  async kill(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    server.close();
    for (const socket of this.sockets) socket.resetAndDestroy();
    await once(server, 'close');
  }

  /** Listens on the same port again after {@link kill}. */
  async restart(): Promise<void> {
    await this.kill();
    await this.listen();
  }

  private async listen(): Promise<void> {
    this.server = createServer((socket) => {
      this.accept(socket);
    });
    this.server.listen(this.usedPort, '127.0.0.1');
    await once(this.server, 'listening');
    this.usedPort = (this.server.address() as AddressInfo).port;
  }

  private accept(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.take(line);
    });
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {
      // The close event follows; a broken connection is what some tests are about.
    });
  }

  private take(line: string): void {
    this.lines.push(line);
    const number = this.lines.length;
    const waiting = this.waiters;
    this.waiters = waiting.filter(({ wanted }) => !wanted(line, number));
    for (const waiter of waiting) if (!this.waiters.includes(waiter)) waiter.resolve(line);
    this.onLine?.(line);
  }
}
