import { brief } from '../base/strings/printable.ts';
import { isHost, isUser, nameOf } from './node-address.ts';
import type { NodeAddress } from './node-source.ts';

/** Nodes that are watched at once. */
export const MOST_NODES = 64;

const expected =
  'nodes separated by commas, each [USER@]HOST[:PORT], for example pve1,admin@kvm2,[2001:db8::1]:2222';
const shape = /^(?:(?<user>[^@]*)@)?(?:\[(?<v6>[^\]]*)\]|(?<name>[^:@[\]]*))(?::(?<port>[^:]*))?$/;

/** A list of nodes that cannot be used. The message says what was found and what was expected. */
export class HostsError extends Error {
  override readonly name = 'HostsError';
}

/**
 * Reads `a,b,user@c:port`, with IPv6 addresses in brackets.
 *
 * @throws HostsError for an empty list, an entry that is no address, a node that is named twice, and too many nodes
 */
export function parseHosts(text: string): readonly NodeAddress[] {
  const nodes = new Map<string, NodeAddress>();
  for (const part of text.split(',', MOST_NODES + 1)) {
    const node = parseNode(part.trim());
    // Names of DNS do not tell capitals apart.
    const key = node.name.toLowerCase();
    if (nodes.has(key)) throw new HostsError(`found ${node.name} twice, expected each node once`);
    nodes.set(key, node);
  }
  if (nodes.size > MOST_NODES)
    throw new HostsError(`found more than ${MOST_NODES} nodes, expected at most ${MOST_NODES}`);
  return [...nodes.values()];
}

function parseNode(text: string): NodeAddress {
  const parts = shape.exec(text)?.groups;
  if (parts === undefined) throw refused(text);
  const { user, v6, name, port } = parts;
  const host = v6 ?? name ?? '';
  if (!isHost(host) || (v6 !== undefined && !v6.includes(':'))) throw refused(text);
  if (user !== undefined && !isUser(user)) throw refused(text);
  const number = port === undefined ? undefined : portOf(port);
  if (Number.isNaN(number)) throw refused(text);
  return { name: nameOf(host, number), user, host, port: number };
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  return port >= 1 && port <= 65535 ? port : NaN;
}

function refused(text: string): HostsError {
  const found = text === '' ? 'an empty entry' : JSON.stringify(brief(text, 60));
  return new HostsError(`found ${found}, expected ${expected}`);
}
