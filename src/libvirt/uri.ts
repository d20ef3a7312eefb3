import { isIPv6 } from 'node:net';
import { ConnectionError } from './error.ts';

/** How to reach a libvirt daemon. */
type TransportName = 'unix' | 'ssh' | 'tcp' | 'tls';

/** A connection URI of libvirt, taken apart. */
export interface LibvirtUri {
  readonly transport: TransportName;
  /** Whose daemon: that of the system or that of one user. */
  readonly scope: 'system' | 'session';
  /** Without the brackets of an IPv6 address; empty for the unix transport. */
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** What the daemon itself is asked to open. */
  readonly name: string;
  /** Parameters meant for the client: socket, mode, keyfile, ... */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Parameters that libvirt's client takes for itself; others go to the server within the name. */
const clientParameters = new Set([
  ...[
    'name',
    'command',
    'socket',
    'auth',
    'netcat',
    'keyfile',
    'sshauth',
    'known_hosts',
    'known_hosts_verify',
  ],
  ...['pkipath', 'tls_priority', 'mode', 'proxy', 'no_sanity', 'no_verify', 'no_tty', 'authfile'],
]);

const transports: readonly string[] = ['unix', 'ssh', 'tcp', 'tls'] satisfies TransportName[];
const otherTransports = ['libssh', 'libssh2', 'ext'];

/** Characters: host names have 255, paths of sockets 107, and a few of them may be in the query. */
const LONGEST_URI = 2048;

/** driver[+transport]://[user@][host][:port]/path[?parameters] */
const shape =
  /^(?<driver>[a-z][a-z0-9]*)(?:\+(?<transport>[a-z0-9]+))?:\/\/(?:(?<user>[^:@/?#\s]*)@)?(?<host>\[[^\]/\s]+\]|[^:/?#[\]\s]*)(?::(?<port>\d{1,5}))?(?<path>\/[^?#\s]*)?(?:\?(?<query>[^#\s]*))?$/;

/**
 * Takes a connection URI apart the way libvirt does (https://libvirt.org/uri.html).
 * @throws ConnectionError uri or unsupported, naming the URI and what was expected
 */
export function parseUri(text: string): LibvirtUri {
  const groups = text.length > LONGEST_URI ? undefined : shape.exec(text)?.groups;
  if (groups === undefined)
    throw malformed(text, 'expected driver[+transport]://[user@][host][:port]/path[?parameters]');
  const { driver, path = '' } = groups;
  if (driver !== 'qemu')
    throw unsupported(text, `the driver ${String(driver)} is not supported, only qemu is`);
  if (path !== '/system' && path !== '/session')
    throw malformed(text, `expected the path /system or /session`);

  const host = parseHost(text, groups['host'] ?? '');
  const transport = groups['transport'] ?? (host === '' ? 'unix' : 'tls');
  if (otherTransports.includes(transport)) {
    throw unsupported(text, `the transport ${transport} is not supported, only ${transports.join(', ')} are`);
  }
  if (!isTransport(transport))
    throw malformed(text, `expected one of the transports ${transports.join(', ')}`);
  if (transport === 'unix' && host !== '')
    throw malformed(text, 'the transport unix has no host; use ssh, tcp or tls');

  const port = groups['port'] === undefined ? undefined : Number(groups['port']);
  if (port !== undefined && (port < 1 || port > 65535))
    throw malformed(text, 'expected a port of 1 to 65535');
  const { parameters, rest } = parseQuery(text, groups['query'] ?? '');
  return {
    transport,
    scope: path === '/system' ? 'system' : 'session',
    host: transport === 'unix' ? '' : host || 'localhost',
    port,
    user: groups['user'] ? decode(text, groups['user']) : undefined,
    name: parameters.get('name') ?? `${driver}://${path}${rest === '' ? '' : `?${rest}`}`,
    parameters,
  };
}

function parseHost(text: string, host: string): string {
  if (!host.startsWith('[')) return host;
  const address = decode(text, host.slice(1, -1)); // A zone is written %25eth0.
  if (!isIPv6(address)) throw malformed(text, `expected an IPv6 address in ${host}`);
  return address;
}

/** Splits the parameters into those of the client and those that go on to the server, which are left encoded. */
function parseQuery(text: string, query: string): { parameters: Map<string, string>; rest: string } {
  const parameters = new Map<string, string>();
  const rest: string[] = [];
  for (const item of query.split('&')) {
    if (item === '') continue;
    const equals = item.indexOf('=');
    const name = equals < 0 ? item : item.slice(0, equals);
    if (clientParameters.has(name))
      parameters.set(name, equals < 0 ? '' : decode(text, item.slice(equals + 1)));
    else rest.push(item);
  }
  return { parameters, rest: rest.join('&') };
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw malformed(text, `cannot decode ${JSON.stringify(part)}`);
  }
}

function isTransport(name: string): name is TransportName {
  return transports.includes(name);
}

function malformed(text: string, words: string): ConnectionError {
  return new ConnectionError('uri', `libvirt URI ${shown(text)}: ${words}`);
}

function unsupported(text: string, words: string): ConnectionError {
  return new ConnectionError('unsupported', `libvirt URI ${shown(text)}: ${words}`);
}

/** A URI for a message, without a password, which has no place in it. */
function shown(text: string): string {
  return JSON.stringify(
    text
      .slice(0, LONGEST_URI)
      .replace(/(\/\/[^/@:]*):.*@/s, '$1:...@')
      .slice(0, 200),
  );
}
