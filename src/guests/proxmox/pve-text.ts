import { dirname } from 'node:path';

const SIZE = /^(\d+(?:\.\d+)?)([KMGT]?)(?:iB)?$/;
const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/**
 * What stands in a configuration of a guest before the first `[`, where pending changes and snapshots begin: values by
 * key, of lines `key: value`.
 */
export function mainSection(text: string): Map<string, string> {
  const keys = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) break;
    const colon = line.indexOf(':');
    if (line.startsWith('#') || colon < 1) continue;
    keys.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return keys;
}

/** A text as a property to spread: none where there is no text, or an empty one. */
export function present<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined || value === '' ? {} : ({ [key]: value } as { readonly [P in K]?: string });
}

/** A property string: `k=v` separated by commas; a bare value belongs to the default key, here ''. */
export function properties(value = ''): Map<string, string> {
  const result = new Map<string, string>();
  for (const part of value.split(',')) {
    const equals = part.indexOf('=');
    if (equals < 0) result.set('', part);
    else result.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return result;
}

/** Where a volume lies: `STORAGE:VOLUME`, or the path of a device or file, which lies in no storage but a directory. */
export function storageOf(volume: string): string {
  return volume.startsWith('/') ? dirname(volume) : volume.slice(0, Math.max(0, volume.indexOf(':')));
}

/** `32G`, `4M`, `528K`, `1.5TiB` in bytes; undefined for anything else. */
export function parseSize(size: string | undefined): number | undefined {
  const match = SIZE.exec(size ?? '');
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (sizeUnits[match[2] ?? ''] ?? NaN));
}
