import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ConnectionError } from './error.ts';
import type { Link } from './link.ts';
import { established } from './link.ts';
import type { LibvirtUri } from './uri.ts';

/** Sockets by ?mode=: of the daemon for QEMU alone (direct), and of the one for everything (legacy). */
const sockets: Readonly<Record<string, readonly string[]>> = {
  auto: ['virtqemud-sock', 'libvirt-sock'],
  direct: ['virtqemud-sock'],
  legacy: ['libvirt-sock'],
};

interface SocketDirectories {
  readonly sockets: string;
  readonly sessionSockets: string | undefined;
}

/** Connects to a daemon of this machine. */
export async function openUnix(
  uri: LibvirtUri,
  directories: SocketDirectories,
  signal: AbortSignal,
): Promise<Link> {
  const path = socketPath(uri, directories);
  const stream = connect(path);
  await established(stream, 'connect', path, signal);
  return { stream, peer: path };
}

/** The first socket that exists: the system's read-only one, which suffices; a user's daemon has only one socket. */
function socketPath(uri: LibvirtUri, directories: SocketDirectories): string {
  const given = uri.parameters.get('socket');
  if (given !== undefined) return given;
  const mode = uri.parameters.get('mode') ?? 'auto';
  const names = sockets[mode];
  if (names === undefined)
    throw new ConnectionError('uri', `libvirt URI: mode=${mode}, expected auto, direct or legacy`);
  const system = uri.scope === 'system';
  const directory = system ? directories.sockets : directories.sessionSockets;
  if (directory === undefined) {
    throw new ConnectionError('unreachable', 'libvirt session: no runtime directory of this user is known');
  }
  const paths = names.map((name) => join(directory, system ? `${name}-ro` : name));
  const path = paths.find((candidate) => existsSync(candidate));
  if (path !== undefined) return path;
  throw new ConnectionError(
    'unreachable',
    `no libvirt socket: ${paths.join(' and ')} are not there; does libvirt run?`,
  );
}
