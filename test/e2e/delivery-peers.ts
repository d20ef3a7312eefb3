import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { keyOf } from './delivery-rig.ts';

/** A receiver that can be waited for. */
abstract class Peer {
  /** What arrived, in its order: what identifies a record of JSON, and other lines as they are. */
  readonly records: string[] = [];
  port = 0;
  private readonly waiting = new Set<() => void>();

  protected constructor(protected readonly host: string) {}

  /** Resolves as soon as `condition` holds; it is asked whenever something came. */
  async until(what: string, condition: () => boolean, deadline = 120_000): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`${what}: not within ${deadline} ms; ${this.records.length} records arrived`));
      }, deadline);
      this.waiting.add(look);
      look();
    });
    clearTimeout(timer);
  }

  /** Resolves as soon as all these records arrived. */
  arrive(keys: readonly string[]): Promise<void> {
    return this.until(`${keys.length} records arrive`, () => {
      const got = new Set(this.records);
      return keys.every((key) => got.has(key));
    });
  }

  protected take(lines: readonly string[]): void {
    for (const line of lines) this.records.push(line.startsWith('{') ? keyOf(line) : line);
  }

  protected changed(): void {
    for (const look of [...this.waiting]) look();
  }
}

/** A receiver of lines over TCP that can do all that receivers do in the field. */
export class LinePeer extends Peer {
  connections = 0;
  /** Reads no further after so many lines more. */
  private left = Infinity;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  static async create(t: TestContext, host = '127.0.0.1', port = 0): Promise<LinePeer> {
    const peer = new LinePeer(host);
    peer.port = port;
    await peer.listen();
    t.after(() => peer.die());
    return peer;
  }

  get target(): string {
    return `${this.host}:${this.port}`;
  }

  /** Listens, on the port it had before. */
  async listen(): Promise<void> {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      this.accept(socket);
    });
    this.server.listen(this.port, this.host);
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    this.left = Infinity;
  }

  /** Connections stay, but nothing is read once it has so many lines more. */
  stall(lines = 0): void {
    this.left = lines;
    if (lines <= 0) for (const socket of this.sockets) socket.pause();
  }

  /** Reads again, on the connections that it has. */
  goOn(): void {
    this.left = Infinity;
    for (const socket of this.sockets) socket.resume();
  }

  /** Ends as a killed process does: what it has not read is gone, and nobody listens. */
  async die(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.reset();
    await closed;
  }

  /** Breaks all connections; new ones are taken. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Closes its side of all connections, and goes on reading. */
  halfClose(): void {
    for (const socket of this.sockets) socket.end();
  }

  private accept(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.take(lines);
      this.left -= lines.length;
      if (this.left <= 0) socket.pause();
      this.changed();
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    if (this.left <= 0) socket.pause();
    this.changed();
  }
}

/** What a server does with a request; `undefined`: nothing, and the client waits. */
export type Answer = (records: readonly string[], request: IncomingMessage) => number | undefined;

/** A server that takes records over HTTP. Those of a request have arrived when it answered 2xx. */
export class HttpPeer extends Peer {
  requests = 0;
  answer: Answer = () => 204;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  static async create(t: TestContext, host = '127.0.0.1'): Promise<HttpPeer> {
    const peer = new HttpPeer(host);
    await peer.listen();
    t.after(() => peer.die());
    return peer;
  }

  get target(): string {
    return `http://${this.host}:${this.port}/`;
  }

  async listen(): Promise<void> {
    const server = createHttpServer((request, response) => {
      void this.serve(request, response);
    });
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    });
    this.server = server.listen(this.port, this.host);
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  async die(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.sockets) socket.resetAndDestroy();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const raw = Buffer.concat(pieces);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    const records = body
      .toString()
      .split('\n')
      .filter((line) => line !== '');
    const status = this.answer(records, request);
    this.requests++;
    if (status !== undefined) {
      if (status < 300) this.take(records);
      response.writeHead(status).end();
    }
    this.changed();
  }
}
