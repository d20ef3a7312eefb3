import { readOnce } from './kernel-file.ts';

/**
 * Has the server's end of a connection that it accepted (SS_CONNECTED), or has yet to accept (SS_CONNECTING); one that
 * only listens is 01 (include/uapi/linux/net.h).
 */
const CONNECTED = /^0[23]$/;
/** Seven columns, the sixth of which is the state; the path is the rest of the line, blanks and all. */
const LINE = /^(?:\S+ +){5}(\S+) +\S+ +(.+)$/;

/**
 * Parses /proc/net/unix (unix(7)), such as
 *
 *     Num       RefCount Protocol Flags    Type St Inode Path
 *     00000000f1c0d2ab: 00000003 00000000 00000000 0001 03 18350 /run/vm/100.qmp
 *
 * @returns the paths of the sockets on which a client is being served or waits to be
 */
export function connectedSockets(text: string): Set<string> {
  const paths = new Set<string>();
  for (const line of text.split('\n')) {
    const [, state, path] = LINE.exec(line) ?? [];
    if (state !== undefined && path !== undefined && CONNECTED.test(state)) paths.add(path);
  }
  return paths;
}

/** {@link connectedSockets} of a network namespace, by the path of its file; none when it cannot be read. */
export function readConnectedSockets(path: string): Set<string> {
  return connectedSockets(readOnce(path) ?? '');
}
