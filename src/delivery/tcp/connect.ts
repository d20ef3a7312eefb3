import { connect as connectPlain, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TcpSettings } from '../settings.ts';
import type { TlsOptions } from '../shared/tls.ts';

const keepAliveDelay = 15_000;

/** A connection that is being made. */
export interface Connecting {
  readonly socket: Socket;
  /** The event of the socket after which it can be written to. */
  readonly ready: 'connect' | 'secureConnect';
}

/**
 * Begins to connect. The name is looked up each time.
 *
 * @param tls where the connection is encrypted
 * @throws Error for invalid certificates or an invalid key
 */
export function connect(
  { host, port }: Pick<TcpSettings, 'host' | 'port'>,
  tls: TlsOptions | undefined,
): Connecting {
  const options: TcpNetConnectOpts = {
    host,
    port,
    // Half-open: on a FIN from the peer Node must not write on by itself.
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelay,
  };
  if (tls === undefined) return { socket: connectPlain(options), ready: 'connect' };
  // An address is checked against the certificate like a name, but not sent (RFC 6066 has only names).
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ ...options, ...servername, ...tls });
  return { socket, ready: 'secureConnect' };
}
