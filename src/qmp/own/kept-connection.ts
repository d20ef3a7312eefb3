import type { Connection, Peer } from '../connection.ts';
import type { Lines } from '../lines.ts';

/** Bytes that may come between two visits without the end of a line; events of QEMU have some hundred. */
const LONGEST_LINE = 64 * 1024;

/** A connection with what came of a line that is not complete yet. */
interface OpenConnection {
  readonly connection: Connection;
  readonly lines: Lines;
}

/**
 * The connection to a monitor that nobody else uses, from one visit to the next: greeted, negotiated, and owed nothing.
 * Events that come meanwhile are read and forgotten. When it breaks the next visit makes another one.
 */
export class KeptConnection implements Peer {
  private open: OpenConnection | undefined;
  /** Bytes since the last end of a line. */
  private unfinished = 0;

  /** Hands the connection over, if there is one. @param peer is told what comes from now on */
  take(peer: Peer): OpenConnection | undefined {
    const { open } = this;
    this.open = undefined;
    open?.connection.handTo(peer);
    return open;
  }

  /** Takes the connection over, on which nothing is asked. */
  give(open: OpenConnection): void {
    this.open = open;
    this.unfinished = 0;
    open.connection.handTo(this);
    this.forget(open);
  }

  received(chunk: Buffer): void {
    const { open } = this;
    if (open === undefined) return;
    this.unfinished += chunk.length;
    open.lines.feed(chunk);
    this.forget(open);
    if (this.unfinished > LONGEST_LINE) this.close();
  }

  failed(): void {
    // It is closed next.
  }

  closed(): void {
    this.open = undefined;
  }

  close(): void {
    const { open } = this;
    this.open = undefined;
    open?.connection.end();
  }

  private forget({ lines }: OpenConnection): void {
    while (lines.next() !== undefined) this.unfinished = 0;
  }
}
