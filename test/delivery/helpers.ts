import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino, type Logger } from 'pino';
import type { Destination } from '../../src/delivery/destination.ts';
import type { Store } from '../../src/delivery/ledger/store.ts';
import { Stores } from '../../src/delivery/ledger/stores.ts';
import { Tap } from '../../src/delivery/ledger/tap.ts';
import type { StoreSettings } from '../../src/delivery/settings.ts';
import type { OutputStatus } from '../../src/sampling/output-status.ts';

/** A record that shows by itself whether it is whole. */
export function record(seq: number, padding = 200): Buffer {
  return Buffer.from(`${JSON.stringify({ seq, padding: 'x'.repeat(padding), end: seq })}\n`);
}

export function records(from: number, to: number, padding?: number): Buffer[] {
  return Array.from({ length: to - from + 1 }, (_, index) => record(from + index, padding));
}

/** The seq of every line of a stream of records; fails on a line that was cut or glued. `ended`: the last one too. */
export function seqs(stream: Buffer, ended = true): number[] {
  const lines = stream.toString().split('\n');
  const rest = lines.pop();
  if (ended) assert.equal(rest, '', 'the stream ends with a whole line');
  return lines.map((line) => {
    const { seq, end } = JSON.parse(line) as { seq: number; end: number };
    assert.equal(seq, end);
    return seq;
  });
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

export function distinct(numbers: number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Waits for something without an event. */
export async function until(condition: () => boolean, what: string, deadline = 120_000): Promise<void> {
  const end = performance.now() + deadline;
  while (!condition()) {
    assert.ok(performance.now() < end, `not within ${deadline} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A logger and what it logged. */
export function logs(): { log: Logger; at: (level: 'info' | 'warn' | 'error' | 'debug') => string[] } {
  const lines: { level: number; msg: string }[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[0]) },
  );
  return {
    log,
    at: (level) => lines.filter((line) => line.level === pino.levels.values[level]).map(({ msg }) => msg),
  };
}

export function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'proxtop-'));
  t.after(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** A store as outputs of this name have one. */
export function storeFor(log: Logger, settings: StoreSettings & { readonly name: string }): Store {
  return new Stores(log).take({ output: settings.name, format: 'json', schema: 1 }, settings);
}

/** The status of an output that has nothing to do. */
export function idleStatus(): OutputStatus {
  const settings = { name: 'test', queue: { maxBytes: 1, whenFull: 'drop_oldest' } } as const;
  return { ...storeFor(logs().log, settings).status, state: 'up', lastError: undefined };
}

/** A destination with a store of its own, which takes records instead of samples. */
export class TestOutput {
  private readonly stores: Stores;
  private readonly destination: Destination;
  private closing: Promise<void> | undefined;
  readonly tap: Tap;
  readonly store: Store;

  constructor(
    t: TestContext,
    settings: StoreSettings & { readonly name: string; readonly printer: string },
    log: Logger,
    make: (tap: Tap) => Destination,
  ) {
    this.stores = new Stores(log);
    const identity = { output: settings.name, format: settings.printer, schema: 1 };
    this.store = this.stores.take(identity, settings);
    this.tap = new Tap(this.store);
    this.destination = make(this.tap);
    this.store.attach(this.tap);
    t.after(() => this.close(0));
  }

  get status(): OutputStatus {
    const { state, lastError } = this.destination;
    return { ...this.store.status, state, lastError: this.store.trouble ?? lastError };
  }

  send(records: readonly Buffer[]): void {
    this.store.push(records);
    this.destination.wake();
  }

  async ready(): Promise<void> {
    await this.destination.ready?.();
  }

  reopen(): void {
    this.destination.reopen();
  }

  close(deadline: number): Promise<void> {
    return (this.closing ??= this.destination.close(deadline).then(() => this.stores.close()));
  }
}

/** A file that hangs whoever opens it, like one on a dead server: a pipe that nobody writes to. */
export class HangingFile {
  readonly path: string;

  constructor(t: TestContext) {
    const place = mkdtempSync(join(tmpdir(), 'proxtop-'));
    const path = (this.path = join(place, 'hangs'));
    execFileSync('mkfifo', [path]);
    // Should the program wait for it, this lets it go on, and the test fails.
    const rescue = spawn('sh', ['-c', 'sleep 60; exec 3<>"$0"; rm "$0"; echo > "$0"', path], {
      detached: true,
      stdio: 'ignore',
    });
    t.after(() => {
      process.kill(-rescue.pid!);
      if (this.hangs) this.become('');
      rmSync(place, { recursive: true });
    });
  }

  get hangs(): boolean {
    return statSync(this.path).isFIFO();
  }

  /** Who waits for it goes on, and from now on it is a file. */
  become(content: string): void {
    const fd = openSync(this.path, 'r+');
    rmSync(this.path);
    writeFileSync(this.path, content);
    closeSync(fd);
  }
}

/** Records whose result is not known yet. */
export function undecided({ queued, spooled, unconfirmed }: OutputStatus): number {
  return queued + spooled + unconfirmed;
}

/** Records that are known to have arrived, or have been handed over. */
export function handedOver({ sent, unconfirmed }: OutputStatus): number {
  return sent + unconfirmed;
}

/** Every record taken is in exactly one state, and every dropped one has a reason. */
export function assertAccounted(status: OutputStatus, taken: number): void {
  const { queued, spooled, unconfirmed, sent, dropped, droppedBy } = status;
  assert.equal(queued + spooled + unconfirmed + sent + dropped, taken, JSON.stringify({ ...status, taken }));
  const reasons = Object.values(droppedBy).reduce((sum, count) => sum + count, 0);
  assert.equal(reasons, dropped, JSON.stringify(droppedBy));
}

/** The counts of a status that tests look at most. */
export function counts({ queued, queuedBytes, sent, dropped, reconnects }: OutputStatus): object {
  return { queued, queuedBytes, sent, dropped, reconnects };
}

/** A TCP receiver that keeps what each connection sent. */
export class Receiver {
  readonly connections: { socket: Socket; data: Buffer[]; ended: boolean }[] = [];
  private server: Server | undefined;

  constructor(
    t: TestContext,
    readonly host = '127.0.0.1',
    readonly onSocket: (socket: Socket, number: number) => void = () => {},
  ) {
    t.after(() => this.stop());
  }

  /** Listens, on the port it had before; returns it. */
  async start(port = 0): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = { socket, data: [] as Buffer[], ended: false };
      this.connections.push(connection);
      socket.on('data', (data) => connection.data.push(data));
      socket.on('end', () => {
        connection.ended = true;
        socket.end();
      });
      socket.on('error', () => {});
      this.onSocket(socket, this.connections.length);
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(port, this.host, resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Ends like a killed process: no connection is served any more, and nothing listens. */
  async stop(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const { socket } of this.connections) socket.destroy();
    await closed;
  }

  received(connection: number): Buffer {
    return Buffer.concat(this.connections[connection]?.data ?? []);
  }

  /** What all connections sent, where each must start with a whole record. */
  seqs(): number[] {
    return this.connections.flatMap((_, index) => seqs(this.received(index), false));
  }
}

/** A port of the loopback address on which nothing listens. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
