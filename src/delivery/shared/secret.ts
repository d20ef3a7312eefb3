import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SlowFiles } from '../../guests/slow-files.ts';
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

/** Reads a secret, at once: for `--check` and the start of an endpoint. Throws an Error for a file that cannot be read, or holds anything but one line. */
export function secretIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(error);
  }
  return secretOf(path, text);
}

/** Reads a secret in the background. Rejects as {@link secretIn} throws, and when the file cannot be read in time. */
export async function readSecret(path: string, files: SlowFiles): Promise<string> {
  let text: string;
  try {
    text = await files.read(path);
  } catch (error) {
    throw unreadable(error);
  }
  return secretOf(path, text);
}

function unreadable(error: unknown): Error {
  return new Error(`cannot read the secret: ${reasonOf(error as Error)}`, { cause: error });
}

function secretOf(path: string, text: string): string {
  const secret = text.trim();
  if (!isSecret(secret)) throw new Error(`${path}: expected a secret of one line in printable ASCII`);
  return secret;
}

/** Whether a text is a token of one line, as a header can hold it. */
export function isSecret(text: string): boolean {
  return /^[!-~]+( [!-~]+)*$/.test(text);
}
