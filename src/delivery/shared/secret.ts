import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from './outage.ts';

/**
 * The file that holds the secret of an output: the one that was given, else the credential that systemd left under the
 * name of the output; undefined where there is none.
 *
 * @param directory of $CREDENTIALS_DIRECTORY
 */
export function secretPath(
  name: string,
  given: string | undefined,
  directory: string | undefined,
): string | undefined {
  if (given !== undefined || directory === undefined) return given;
  const path = join(directory, name);
  return existsSync(path) ? path : undefined;
}

/** Reads a secret. Throws an Error for a file that cannot be read, or holds anything but one line. */
export function secretIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`cannot read the secret: ${reasonOf(error as Error)}`, { cause: error });
  }
  if (!isSecret(text)) throw new Error(`${path}: expected a secret of one line in printable ASCII`);
  return text;
}

/** Whether a text is a token of one line, as a header can hold it. */
export function isSecret(text: string): boolean {
  return /^[!-~]+( [!-~]+)*$/.test(text);
}
