import { isIPv4, isIPv6 } from 'node:net';
import type { NodeName } from './node-source.ts';

/** Characters of the longest DNS name (RFC 1035). */
const LONGEST_NAME = 253;
/** Labels of letters, digits, dashes and underscores, as aliases in the configuration of ssh have them; none begins with a dash. */
const labels = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;
/** Users as useradd and Active Directory name them, without what a shell or ssh reads in another way. */
const user = /^[a-z0-9_][a-z0-9._-]{0,63}$/i;
/** What may stand behind an IPv6 address: the interface of a link-local one. */
const zone = /%[a-z0-9_][a-z0-9._-]{0,14}$/i;

/**
 * The name of a node of a Proxmox cluster; undefined for a text that is none. It is one label of DNS: PVE/JSONSchema.pm,
 * `pve-node`.
 */
export function memberName(text: unknown): NodeName | undefined {
  const isLabel = typeof text === 'string' && text.length <= 63 && labels.test(text) && !/[._]/.test(text);
  return isLabel ? (text as NodeName) : undefined;
}

/** Whether ssh can be given a text as the host: a name, an IPv4 address, or an IPv6 address without brackets. */
export function isHost(text: string): boolean {
  if (text.length > LONGEST_NAME) return false;
  return isAddress(text) || (labels.test(text) && !/^[\d.]+$/.test(text));
}

/** Whether a text is an IP address; a link-local one may name its interface. */
export function isAddress(text: string): boolean {
  const address = text.replace(zone, '');
  return isIPv4(text) || (isIPv6(address) && !address.includes('%'));
}

/** Whether ssh can be given a text as the user. */
export function isUser(text: string): boolean {
  return user.test(text);
}

/** The name under which a checked host is shown; its port belongs to it, as ports of one address can lead to several nodes. */
export function nameOf(host: string, port: number | undefined): NodeName {
  const shown = host.includes(':') && port !== undefined ? `[${host}]` : host;
  return (port === undefined ? shown : `${shown}:${port}`) as NodeName;
}
