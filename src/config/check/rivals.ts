import { resolve } from 'node:path';
import type { OutputSettings } from '../../delivery/settings.ts';
import { ConfigError } from '../errors.ts';

/** An output, and what describes it, for messages. */
export interface Described {
  readonly origin: string;
  readonly settings: OutputSettings;
}

/** Throws a ConfigError where two outputs have one name, write to one file or listen on one address. */
export function refuseRivals(outputs: readonly Described[]): void {
  for (const [index, { origin, settings }] of outputs.entries()) {
    for (const earlier of outputs.slice(0, index)) {
      const shared = sharedBy(earlier.settings, settings);
      if (shared !== undefined)
        throw new ConfigError(
          `${origin}: ${shared} is already used by ${earlier.origin}; change or remove one of them`,
        );
    }
  }
}

/** What only one of two outputs can have, in words. */
function sharedBy(one: OutputSettings, other: OutputSettings): string | undefined {
  if (one.name === other.name) return `the name ${one.name}`;
  if (one.type === 'file' && other.type === 'file') {
    const isOne =
      isSameFile(one.path, other.path) || rotatesTo(one, other.path) || rotatesTo(other, one.path);
    return isOne ? `the file ${other.path}` : undefined;
  }
  if (one.type === 'prometheus' && other.type === 'prometheus' && one.port === other.port) {
    return listensBeside(one.host, other.host) ? undefined : `the address with port ${other.port}`;
  }
  return undefined;
}

/** Whether two paths mean one regular file, as far as they say so themselves; of a device there may be two users. */
export function isSameFile(one: string, other: string): boolean {
  const path = resolve(one);
  return path === resolve(other) && !path.startsWith('/dev/');
}

/** Whether a file that rotates is put aside under this path: as PATH.1, PATH.1.gz and so on. */
function rotatesTo(file: OutputSettings & { readonly type: 'file' }, path: string): boolean {
  const beginning = `${resolve(file.path)}.`;
  const whole = resolve(path);
  return (
    file.rotation !== undefined &&
    whole.startsWith(beginning) &&
    /^\d+(?:\.gz)?$/.test(whole.slice(beginning.length))
  );
}

/** Whether one can listen on a port of one host, and another one on that of the other. */
function listensBeside(one: string, other: string): boolean {
  const [first, second] = [plainHost(one), plainHost(other)];
  const isSix = (host: string): boolean => host.includes(':');
  const isAll = (host: string): boolean => host === '::' || host === '0.0.0.0';
  if (first === second || first === '::' || second === '::') return false;
  if (first === 'localhost' || second === 'localhost')
    return ![first, second].some((host) => isAll(host) || host === '::1' || host === '127.0.0.1');
  return isSix(first) !== isSix(second) || !(isAll(first) || isAll(second));
}

/** A host in one of the ways to write it. */
function plainHost(host: string): string {
  return host.includes(':') ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host.toLowerCase();
}
