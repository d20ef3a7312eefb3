import { readFile } from 'node:fs/promises';
import { isIPv4, type Socket } from 'node:net';
import { defaultRoots, Paths } from '../base/paths.ts';

const paths = new Paths(defaultRoots);

/**
 * Returns how many bytes of a connection the peer's kernel has not acknowledged.
 *
 * Source: the tx_queue of the connection's line in /proc/net/tcp or tcp6, hexadecimal:
 *     sl  local_address rem_address   st tx_queue rx_queue ...
 *     1: 0100007F:94D6 0100007F:1388 01 00001A2B:00000000 ...
 * Reading the file takes the kernel up to 5 ms on a machine with a large connection table (measured with 262144
 * buckets), so it is read in the background and rarely.
 *
 * @returns bytes; undefined when the file cannot be read or does not have the connection
 */
export function unacknowledgedBytes(socket: Socket): () => Promise<number | undefined> {
  const { localAddress, localPort = 0, remoteAddress, remotePort = 0 } = socket;
  // A connection that the peer reset at once has no addresses any more.
  if (localAddress === undefined || remoteAddress === undefined) return () => Promise.resolve(undefined);
  const file = paths.proc(isIPv4(localAddress) ? 'net/tcp' : 'net/tcp6');
  const ends = ` ${kernelAddress(localAddress, localPort)} ${kernelAddress(remoteAddress, remotePort)} `;
  return async () => {
    const text = await readFile(file, 'latin1').catch(() => '');
    const at = text.indexOf(ends);
    if (at < 0) return undefined;
    const queue = at + ends.length + 'st '.length;
    return parseInt(text.slice(queue, queue + 8), 16);
  };
}

/** ADDRESS:PORT as the kernel prints it: the address in 32-bit words of the machine's byte order. */
function kernelAddress(address: string, port: number): string {
  const bytes = isIPv4(address) ? Uint8Array.from(address.split('.'), Number) : ipv6Bytes(address);
  const words = Array.from(new Uint32Array(bytes.buffer), (word) => word.toString(16).padStart(8, '0'));
  return `${words.join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

/** The 16 bytes of an IPv6 address in any of its spellings, without its zone. */
function ipv6Bytes(address: string): Uint8Array<ArrayBuffer> {
  // The URL parser leaves only hexadecimal groups and at most one `::`.
  const [front = '', back = ''] = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname
    .slice(1, -1)
    .split('::');
  const head = front.split(':').filter(Boolean);
  const tail = back.split(':').filter(Boolean);
  const view = new DataView(new ArrayBuffer(16));
  head.forEach((group, index) => {
    view.setUint16(index * 2, parseInt(group, 16));
  });
  tail.forEach((group, index) => {
    view.setUint16((8 - tail.length + index) * 2, parseInt(group, 16));
  });
  return new Uint8Array(view.buffer);
}
