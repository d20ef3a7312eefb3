import { isIPv4, isIPv6 } from 'node:net';
import { refuse, withoutUser } from './values.ts';
import type { Refusal, ValueType } from './values.ts';

/** Where a tcp or udp output sends to. */
interface Address {
  /** A name, an IPv4 or an IPv6 address (without brackets). */
  readonly host: string;
  readonly port: number;
}

const example = 'for example logstash.example:12345 or [2001:db8::1]:12345';

/** Reads `host:port` or `[IPv6]:port`. */
export function parseAddress(text: string): Address | Refusal {
  if (text.includes('@')) return refuse(withoutUser(text), `host:port without user and password, ${example}`);
  const parts = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]]*))(?::(?<port>[^:/]*))?$/.exec(text)?.groups;
  if (parts === undefined) {
    return isIPv6(text) || isIPv6(text.replace(/:\d+$/, ''))
      ? refuse(text, `an IPv6 address in brackets, ${example}`)
      : refuse(text, `host:port, ${example}`);
  }
  const { v6, name, port } = parts;
  const host = v6 ?? name ?? '';
  if (!(v6 === undefined ? isHost(host) : isIPv6(host))) return refuse(text, `host:port, ${example}`);
  if (port === undefined || port === '') return refuse(text, `a port after the host, ${example}`);
  const number = /^\d+$/.test(port) ? Number(port) : 0;
  return number >= 1 && number <= 65535
    ? { host, port: number }
    : refuse(text, `a port from 1 to 65535 after the host, ${example}`);
}

/** An address of this host to listen on, with the port. */
export const listenAddress: ValueType<Address> = {
  expected: 'host:port, for example 127.0.0.1:9788 or [::]:9788',
  parse: parseAddress,
};

/** Whether a text can be the name of a host or an IPv4 address; whether it exists is seen when connecting. */
function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : /^[\w.-]+$/.test(text);
}
