import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('debian-package', import.meta.url));
const run = promisify(execFile);

/** Suites of Debian whose packages a test may run without installing them. */
export type Suite = 'bookworm' | 'trixie' | 'sid';

/**
 * Unpacks a package of another suite without installing it; what was unpacked before is used again. Programs of Go run so,
 * as they bring what they need; others want the libraries of their suite.
 *
 * @returns the directory that stands for the root of the package
 * @throws Error with the last words of apt where it cannot be had: without a network a test skips
 */
export async function unpackedPackage(suite: Suite, name: string): Promise<string> {
  try {
    const { stdout } = await run(program, [suite, name], { timeout: 300_000 });
    return stdout.trim();
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1);
    throw new Error(`cannot have ${name} of Debian ${suite}: ${said ?? (error as Error).message}`, {
      cause: error,
    });
  }
}
