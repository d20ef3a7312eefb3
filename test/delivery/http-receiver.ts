import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { HttpSettings } from '../../src/delivery/settings.ts';

/** A request that arrived whole. */
export interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
  /** As it was before gzip. */
  readonly body: Buffer;
}

export type Responder = (request: Received, response: ServerResponse, number: number) => void;

/** Answers with a status and a text. */
export function answer(status: number, text = '', headers: Record<string, string> = {}): Responder {
  return (_, response) => response.writeHead(status, headers).end(text);
}

/** A receiver that keeps every request and answers as configured, well or badly. */
export class HttpReceiver {
  readonly requests: Received[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  private readonly server: Server;

  /** @param respond answers each request; `number` counts them from 1 */
  constructor(
    t: TestContext,
    public respond: Responder = answer(204),
    tls?: ServerOptions,
  ) {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('error', () => {});
      request.on('end', () => {
        const { headers, url = '' } = request;
        const raw = Buffer.concat(pieces);
        const body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
        const received = { headers, url, body };
        this.requests.push(received);
        this.respond(received, response, this.requests.length);
      });
    };
    this.server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
    this.server.on('connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.sockets.delete(socket));
    });
    t.after(() => this.stop());
  }

  /** Listens, on the port it had before; returns it. */
  async start(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** The bodies of requests that were answered with 2xx, one behind the other, are up to the test; these are all. */
  get bodies(): Buffer {
    return Buffer.concat(this.requests.map(({ body }) => body));
  }
}

/** Settings of an http output for records that are lines. */
export function httpSettings(url: string, changed: Partial<HttpSettings> = {}): HttpSettings {
  return {
    name: 'test',
    type: 'http',
    printer: 'json',
    print: { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' },
    url,
    queue: { maxBytes: 64 << 20, whenFull: 'drop_oldest' },
    timeout: 5,
    batch: { records: 5000, bytes: 1 << 20, age: 0 },
    body: 'lines',
    gzip: true,
    headers: {},
    credentials: {},
    tls: {},
    ...changed,
  };
}
