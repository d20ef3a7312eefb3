import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import type { SlowFiles } from '../../guests/slow-files.ts';
import { reasonOf } from './outage.ts';

/** What a TLS connection needs beyond the certificates of the system. Files hold PEM. */
export interface TlsSettings {
  /** File with the certificates of the authorities to trust instead of the usual ones. */
  readonly ca?: string;
  /** File with our own certificate, and that with its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Name that the peer's certificate must be for, where it is not that of the target. */
  readonly servername?: string;
}

/** What Node's TLS is told. */
export type TlsOptions = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> & { readonly servername?: string };

/**
 * Reads the files, at once: for `--check` and the start of an endpoint. The peer's certificate is always verified.
 *
 * @throws Error that names the key and the file that cannot be read
 */
export function tlsOptions({ ca, cert, key, servername }: TlsSettings): TlsOptions {
  return {
    ...(ca !== undefined && { ca: pem('tls_ca', ca) }),
    ...(cert !== undefined && { cert: pem('tls_cert', cert) }),
    ...(key !== undefined && { key: pem('tls_key', key) }),
    ...(servername !== undefined && { servername }),
  };
}

/** Reads the files in the background. Rejects as {@link tlsOptions} throws, and when one cannot be read in time. */
export async function readTls(
  { ca, cert, key, servername }: TlsSettings,
  files: SlowFiles,
): Promise<TlsOptions> {
  const read = (option: string, path: string): Promise<string> =>
    files.read(path).catch((error: unknown) => {
      throw unreadable(option, error);
    });
  return {
    ...(ca !== undefined && { ca: await read('tls_ca', ca) }),
    ...(cert !== undefined && { cert: await read('tls_cert', cert) }),
    ...(key !== undefined && { key: await read('tls_key', key) }),
    ...(servername !== undefined && { servername }),
  };
}

function pem(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(option, error);
  }
}

function unreadable(option: string, error: unknown): Error {
  return new Error(`cannot read the file of ${option}: ${reasonOf(error as Error)}`, { cause: error });
}
