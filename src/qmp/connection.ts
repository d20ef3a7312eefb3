import { Socket } from 'node:net';
import type { ConnectOpts, SocketConstructorOpts } from 'node:net';

/** Every read of every connection goes into this buffer and is dealt with before the next one. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);
/** Sockets that are kept for later connections: those of the visits at a time, and of as many that are just being closed. */
const MOST_FREE = 32;

/** Sockets that were closed, ready to connect anew. */
const free: Connection[] = [];

/** Who is told what becomes of a connection. */
export interface Peer {
  /** @param chunk valid until this returns */
  readonly received: (chunk: Buffer) => void;
  /** {@link closed} follows. */
  readonly failed: (error: NodeJS.ErrnoException) => void;
  /** Nothing is told after this; the connection may be another one's by then. */
  readonly closed: () => void;
}

/**
 * A connection to a unix socket. Node's Socket, with all its streams, states and listeners, is used again for the next
 * connection after its `close`, which Node allows: making one took an eighth of the CPU of a visit to a monitor.
 */
export class Connection {
  private peer: Peer | undefined;
  private readonly socket: Socket;
  /** Whether it came to its end by our will and without an error. What Node keeps of others might reach the next connection. */
  private isSound = false;

  private constructor() {
    const callback = (length: number): boolean => {
      this.peer?.received(shared.subarray(0, length));
      return true;
    };
    const options: SocketConstructorOpts & ConnectOpts = { onread: { buffer: shared, callback } };
    this.socket = new Socket(options);
    this.socket.on('error', (error) => {
      this.peer?.failed(error);
      this.isSound = false;
    });
    this.socket.on('close', () => {
      const { peer } = this;
      this.peer = undefined;
      peer?.closed();
      if (this.isSound && free.length < MOST_FREE) free.push(this);
    });
  }

  /** @param path need not be there any more when this returns */
  static to(path: string, peer: Peer): Connection {
    const connection = free.pop() ?? new Connection();
    connection.peer = peer;
    connection.isSound = false;
    connection.socket.connect({ path });
    return connection;
  }

  /** Tells somebody else from now on. */
  handTo(peer: Peer): void {
    this.peer = peer;
  }

  /** To be called only when something was received: Node would keep it until the connection is made, this one or the next. */
  send(text: string): void {
    this.socket.write(text);
  }

  /** Ends it at once; {@link Peer.closed} follows. To be called by its own peer only, and not after it was told that. */
  end(): void {
    this.isSound = true;
    this.socket.destroy();
  }
}
