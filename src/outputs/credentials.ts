import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from './outage.ts';
import type { HttpSettings } from './settings.ts';

/**
 * What the header `Authorization` says, made anew for each request: a token that is replaced in its file counts from
 * the next request on. The secret is the first of these: `password` or `token`, the file `token_file`, the credential
 * that systemd left in `$CREDENTIALS_DIRECTORY` under the name of the output. With a user name it is a password (basic
 * authentication, RFC 7617), else a token (RFC 6750; InfluxDB 2 has a word of its own for it).
 *
 * @param directory of $CREDENTIALS_DIRECTORY
 * @returns a function that returns the value, or undefined where there is no secret
 * @throws Error (that function, too) for a file that cannot be read or is empty
 */
export function authorization(
  { name, url, credentials }: Pick<HttpSettings, 'name' | 'url' | 'credentials'>,
  directory: string | undefined,
): () => string | undefined {
  const { username, password, token, tokenFile } = credentials;
  const scheme = new URL(url).pathname.endsWith('/api/v2/write') ? 'Token' : 'Bearer';
  const fromSystemd = directory === undefined ? undefined : join(directory, name);
  const path = tokenFile ?? (fromSystemd !== undefined && existsSync(fromSystemd) ? fromSystemd : undefined);
  const given = password ?? token;
  return () => {
    const secret = given ?? (path === undefined ? undefined : secretIn(path));
    if (username !== undefined)
      return `Basic ${Buffer.from(`${username}:${secret ?? ''}`).toString('base64')}`;
    return secret === undefined ? undefined : `${scheme} ${secret}`;
  };
}

function secretIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`cannot read the secret: ${reasonOf(error as Error)}`, { cause: error });
  }
  if (!/^[!-~]+( [!-~]+)*$/.test(text))
    throw new Error(`${path}: expected a secret of one line in printable ASCII`);
  return text;
}
