import { SlowFiles } from '../../guests/slow-files.ts';
import { readSecret, secretPath } from '../shared/secret.ts';
import type { Credentials } from '../settings.ts';

/** ms in which the file of a secret must be read. */
const deadline = 2000;

/**
 * The header `Authorization`, made for each request: a replaced token file takes effect with the next request. The secret
 * is the first of these: `password` or `token`, the file `token_file`, the credential that systemd left in
 * `$CREDENTIALS_DIRECTORY` under the name of the output. With a user name it is a password (basic authentication, RFC
 * 7617), else a token.
 *
 * @param scheme of a token: RFC 6750, or the word that InfluxDB 2 has
 * @param directory of $CREDENTIALS_DIRECTORY
 * @returns a function that reads the value, or undefined where there is no secret; it rejects with an Error for a file that
 * cannot be read in time or is empty
 */
export function authorization(
  { name, credentials }: { readonly name: string; readonly credentials: Credentials },
  scheme: 'Token' | 'Bearer',
  directory: string | undefined,
): () => Promise<string | undefined> {
  const { username, password, token, tokenFile } = credentials;
  const path = secretPath(name, tokenFile, directory);
  const given = password ?? token;
  const files = new SlowFiles(deadline);
  return async () => {
    const secret = given ?? (path === undefined ? undefined : await readSecret(path, files));
    if (username !== undefined)
      return `Basic ${Buffer.from(`${username}:${secret ?? ''}`).toString('base64')}`;
    return secret === undefined ? undefined : `${scheme} ${secret}`;
  };
}
