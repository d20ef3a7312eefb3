import { createHash, timingSafeEqual } from 'node:crypto';
import { authorization } from '../http/credentials.ts';
import { secretIn, secretPath } from '../shared/secret.ts';
import type { PrometheusSettings } from '../settings.ts';

/**
 * Access control: requests must have the header `Authorization` that the credentials make; without credentials all are
 * accepted. A secret in a file is read each time.
 *
 * @param directory of $CREDENTIALS_DIRECTORY
 * @returns a function that takes the header and rejects with an Error for a file that cannot be read
 * @throws Error for such a file, and for a user name without password
 */
export function gate(
  { name, credentials }: Pick<PrometheusSettings, 'name' | 'credentials'>,
  directory: string | undefined,
): (header: string | undefined) => Promise<boolean> {
  const { username, password, token, tokenFile } = credentials;
  const path = secretPath(name, tokenFile, directory);
  if (username !== undefined && password === undefined && path === undefined)
    throw new Error('username needs password, token_file or a systemd credential');
  if ((password ?? token) === undefined && path !== undefined) secretIn(path);
  const expected = authorization({ name, credentials }, 'Bearer', directory);
  return async (header) => {
    const wanted = await expected();
    return wanted === undefined || (header !== undefined && equal(usual(header), wanted));
  };
}

/** A header as we write it: the name of the scheme may come in any case (RFC 9110, 11.1). */
function usual(header: string): string {
  return header.replace(
    /^(bearer|basic) +/i,
    (_, scheme: string) => `${scheme.charAt(0).toUpperCase()}${scheme.slice(1).toLowerCase()} `,
  );
}

/** Compares in constant time, so that timing does not reveal where two texts differ. */
function equal(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
