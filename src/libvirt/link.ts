import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ConnectionError } from './error.ts';

/** An open byte stream to a libvirt daemon. It is ready for calls, and emits `close` when it ends. */
export interface Link {
  readonly stream: Duplex;
  /** Names the server in messages: a path, a host and port. */
  readonly peer: string;
}

/**
 * Waits until a socket emits `event`; destroys it when that does not come.
 * @throws ConnectionError unreachable, denied or closed; AbortError when the signal aborts
 */
export async function established(
  socket: Socket,
  event: string,
  peer: string,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([
      once(socket, event, { signal: AbortSignal.any([signal, over.signal]) }),
      once(socket, 'close', { signal: over.signal }).then(() => {
        throw new ConnectionError('closed', `${peer}: the server closed the connection at once`);
      }),
    ]);
  } catch (error) {
    socket.destroy();
    if (error instanceof ConnectionError || signal.aborted) throw error;
    throw connectionError(peer, error as NodeJS.ErrnoException);
  } finally {
    over.abort();
  }
}

const noRights = 'permission denied; run as root or join the group of the socket (normally libvirt)';

const meanings: Readonly<Record<string, readonly [trouble: 'unreachable' | 'denied', words: string]>> = {
  ENOENT: ['unreachable', 'there is no such socket; does libvirtd or virtqemud run?'],
  ECONNREFUSED: ['unreachable', 'nothing listens there; does the daemon run?'],
  EACCES: ['denied', noRights],
  EPERM: ['denied', noRights],
  ENOTSOCK: ['unreachable', 'this is not a socket'],
  ENOTFOUND: ['unreachable', 'there is no host of that name'],
};

function connectionError(peer: string, error: NodeJS.ErrnoException): ConnectionError {
  const [trouble, words] = meanings[error.code ?? ''] ?? ['unreachable', error.message];
  return new ConnectionError(trouble, `${peer}: ${words}`, { cause: error });
}
