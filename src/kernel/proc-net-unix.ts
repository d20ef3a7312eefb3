import { readOnce } from './kernel-file.ts';

/**
 * Has the server's end of a connection that it accepted (SS_CONNECTED), or has yet to accept (SS_CONNECTING); one that
 * only listens is 01 (include/uapi/linux/net.h).
 */
const CONNECTED = /^0[23]$/;
/** Seven columns, the sixth and seventh of which are the state and the inode; the path is the rest, blanks and all. */
const LINE = /^(?:\S+ +){5}(\S+) +(\d+) +(.+)$/;

/** By path, the inodes of the server's ends of connections, in decimal; 0 is one that was not accepted yet. */
export type Connections = ReadonlyMap<string, readonly string[]>;

/**
 * Parses /proc/net/unix (unix(7)), such as
 *
 *     Num       RefCount Protocol Flags    Type St Inode Path
 *     00000000f1c0d2ab: 00000003 00000000 00000000 0001 03 18350 /run/vm/100.qmp
 *
 * A path is what the server gave to bind(2): relative, or of another mount namespace, so that anybody can have a socket
 * with the path of somebody else's. It may even hold a newline and what looks like a line of this file: of an inode that
 * two lines claim neither is believed.
 */
export function connections(text: string): Connections {
  const lines = text.split('\n').flatMap((line) => {
    const [, state, inode, path] = LINE.exec(line) ?? [];
    return state === undefined || inode === undefined || path === undefined ? [] : [{ state, inode, path }];
  });
  const claims = new Map<string, number>();
  for (const { inode } of lines) claims.set(inode, (claims.get(inode) ?? 0) + 1);
  const found = new Map<string, string[]>();
  for (const { state, inode, path } of lines) {
    if (!CONNECTED.test(state) || (inode !== '0' && claims.get(inode) !== 1)) continue;
    const known = found.get(path);
    if (known === undefined) found.set(path, [inode]);
    else known.push(inode);
  }
  return found;
}

/** {@link connections} of a network namespace, by the path of its file; none when it cannot be read. */
export function readConnections(path: string): Connections {
  return connections(readOnce(path) ?? '');
}
