import { connect } from 'node:net';
import type { Link } from './link.ts';
import { established } from './link.ts';
import type { LibvirtUri } from './uri.ts';

const PORT = 16509;

/** Connects to a daemon that listens without encryption. */
export async function openTcp({ host, port = PORT }: LibvirtUri, signal: AbortSignal): Promise<Link> {
  const peer = `${host} port ${port}`;
  const stream = connect({ host, port });
  await established(stream, 'connect', peer, signal);
  return { stream, peer };
}
