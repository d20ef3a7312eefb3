import { Cursor } from '../base/cursor.ts';
import { KernelFile } from '../base/kernel-file.ts';

/**
 * States in which a socket is the server's end of a connection that it accepted (SS_CONNECTED), or has yet to accept
 * (SS_CONNECTING); one that only listens is 01 (include/uapi/linux/net.h).
 */
const CONNECTED: readonly number[] = [2, 3];
/** Columns before the state. */
const BEFORE_STATE = 5;
const SPACE = 0x20;
const NEWLINE = 0x0a;

/** By path, the inodes of the server's ends of connections, in decimal; 0 is one that was not accepted yet. */
export type UnixConnections = ReadonlyMap<string, readonly string[]>;

/**
 * Parses /proc/net/unix (unix(7)), such as
 *
 *     Num       RefCount Protocol Flags    Type St Inode Path
 *     00000000f1c0d2ab: 00000003 00000000 00000000 0001 03 18350 /run/vm/100.qmp
 *
 * The path is the rest of the line including blanks: what the server passed to bind(2). It may be relative or from another
 * mount namespace, so anybody can have a socket with the path of another user's socket. It may even contain a newline and
 * text that looks like a line of this file: if two lines claim one inode, neither is believed.
 *
 * A host may have tens of thousands of sockets, so strings are made of the paths of connections only.
 */
export function connections(bytes: Buffer): UnixConnections {
  const cursor = new Cursor().reset(bytes, bytes.length);
  /** How many lines with a path there are of an inode. */
  const claims = new Map<number, number>();
  const ends: { readonly inode: number; readonly path: string }[] = [];
  while (!cursor.atEnd) {
    const end = lineEnd(bytes, cursor.pos);
    for (let column = 0; column < BEFORE_STATE; column++) cursor.skipWord();
    // Hexadecimal, of which only 00 to 04 exist.
    const state = cursor.uint();
    const inode = cursor.uint();
    if (!Number.isNaN(inode) && bytes[cursor.pos] === SPACE) {
      claims.set(inode, (claims.get(inode) ?? 0) + 1);
      cursor.skipBlanks();
      if (CONNECTED.includes(state) && cursor.pos < end)
        ends.push({ inode, path: cursor.text(cursor.pos, end) });
    }
    cursor.skipLine();
  }
  const found = new Map<string, string[]>();
  for (const { inode, path } of ends) {
    if (inode !== 0 && claims.get(inode) !== 1) continue;
    const known = found.get(path);
    if (known === undefined) found.set(path, [String(inode)]);
    else known.push(String(inode));
  }
  return found;
}

/** Where the line that holds `pos` ends. */
function lineEnd(bytes: Buffer, pos: number): number {
  const newline = bytes.indexOf(NEWLINE, pos);
  return newline < 0 ? bytes.length : newline;
}

/** {@link connections} of a network namespace, by the path of its file; none when it cannot be read. */
export function readConnections(path: string): UnixConnections {
  const file = new KernelFile(path, true);
  const length = file.read();
  file.close();
  return connections(file.bytes.subarray(0, Math.max(0, length)));
}
