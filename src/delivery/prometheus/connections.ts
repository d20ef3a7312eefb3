import type { Socket } from 'node:net';

/** A connection and what is known of it. */
interface Connection {
  /** The raw one, also below TLS. */
  readonly socket: Socket;
  readonly address: string;
  busy: boolean;
}

/**
 * The connections of an endpoint. Scrapers are few and ask for one page at a time, so a new connection takes the place of
 * another where there are too many: of one without a request under way, of the address that has the most of them. And a
 * request that comes before the answer to the one before was taken ends its connection: answers would pile up.
 */
export class Connections {
  /** By the peer's address and port, which name a connection below TLS too; the one used longest ago first. */
  private readonly all = new Map<string, Connection>();

  constructor(private readonly most: number) {}

  /** Takes a connection in. */
  add(socket: Socket): void {
    const key = keyOf(socket);
    if (this.all.size >= this.most) this.giveUpOne();
    this.all.set(key, { socket, address: socket.remoteAddress ?? '', busy: false });
    socket.once('close', () => {
      if (this.all.get(key)?.socket === socket) this.all.delete(key);
    });
  }

  /** Begins a request. @returns false where it is not to be answered, and ends the connection */
  begin(socket: Socket): boolean {
    const connection = this.all.get(keyOf(socket));
    if (connection?.busy === false) return (connection.busy = true);
    socket.destroy();
    return false;
  }

  /** The answer was taken, or the connection is gone. @param key of {@link keyOf} */
  end(key: string): void {
    const connection = this.all.get(key);
    if (connection === undefined) return;
    connection.busy = false;
    this.all.delete(key);
    this.all.set(key, connection);
  }

  private giveUpOne(): void {
    const counts = new Map<string, number>();
    for (const { address } of this.all.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    let worst: [key: string, connection: Connection] | undefined;
    const weight = ({ address, busy }: Connection): number => (counts.get(address) ?? 0) - (busy ? 0.5 : 0);
    for (const entry of this.all)
      if (worst === undefined || weight(entry[1]) > weight(worst[1])) worst = entry;
    if (worst === undefined) return;
    this.all.delete(worst[0]);
    worst[1].socket.destroy();
  }
}

/** Names a connection while it is open. */
export function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
