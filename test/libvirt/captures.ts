import { readFileSync } from 'node:fs';

/** One recorded exchange with a real libvirtd; see the note beside the file. */
export interface Capture {
  readonly name: string;
  readonly request: Buffer | undefined;
  readonly reply: Buffer;
  /** What another reader, written for the recording, made of the reply. */
  readonly decoded: unknown;
}

interface Entry {
  readonly name: string;
  readonly request_hex: string | null;
  readonly reply_hex: string;
  readonly decoded: unknown;
}

const file = new URL('../fixtures/libvirt/captures.json', import.meta.url);

export const captures: readonly Capture[] = (JSON.parse(readFileSync(file, 'utf8')) as Entry[]).map(
  (entry) => ({
    name: entry.name,
    request: entry.request_hex === null ? undefined : Buffer.from(entry.request_hex, 'hex'),
    reply: Buffer.from(entry.reply_hex, 'hex'),
    decoded: entry.decoded,
  }),
);

/** The only recorded exchange whose name starts so. */
export function capture(start: string): Capture {
  const found = captures.filter(({ name }) => name.startsWith(start));
  if (found.length !== 1) throw new Error(`${found.length} captures are called ${start}...`);
  return found[0]!;
}
