import type { SlowFiles } from '../../guests/slow-files.ts';
import { readSecret, secretPath } from '../shared/secret.ts';
import type { TcpSettings } from '../settings.ts';

/**
 * The token that an output sends: the configured one, else the content of its file (see {@link secretPath}). Call it for
 * each connection, as files may be replaced.
 *
 * @param directory of $CREDENTIALS_DIRECTORY
 * @returns undefined where there is none
 * @throws Error for a file that cannot be read in time, or holds anything but one line
 */
export async function readToken(
  { name, token, tokenFile }: Pick<TcpSettings, 'name' | 'token' | 'tokenFile'>,
  directory: string | undefined,
  files: SlowFiles,
): Promise<string | undefined> {
  if (token !== undefined) return token;
  const path = secretPath(name, tokenFile, directory);
  return path === undefined ? undefined : readSecret(path, files);
}
