import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { descriptorPath } from './paths.ts';

/**
 * Opens a file only as a reference (O_PATH): neither its content nor a listener on it is touched (open(2)). Node has no
 * constant for it.
 */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;
/** As many links as the kernel follows in one path. */
const MOST_LINKS = 40;

/** Opens a file only as a reference (O_PATH); of a link, the link itself. @throws the error of node:fs */
export function openName(path: string): number {
  return openSync(path, O_PATH | O_NOFOLLOW);
}

/**
 * Opens a path as a process with another root directory sees it, only as a reference (O_PATH). The kernel would resolve an
 * absolute link below /proc/<pid>/root in our own root, so that process could point us to any of our files; here every link
 * stays inside. The last part is not followed where it is a link.
 *
 * @param root the root directory of the process
 * @param start where relative paths begin
 * @throws the error of node:fs; an Error for a path that goes up or has too many links
 */
export function openInside(root: string, start: string, path: string): number {
  const rest = partsOf(path);
  let at = openSync(isAbsolute(path) ? root : start, O_PATH | O_DIRECTORY);
  let links = 0;
  try {
    for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
      if (part === '..')
        throw new Error('paths with .. are not followed in the directories of another process');
      const step = `${descriptorPath(at)}/${part}`;
      let next = openName(step);
      if (rest.length > 0 && fstatSync(next).isSymbolicLink()) {
        closeSync(next);
        if (++links > MOST_LINKS) throw new Error('too many symbolic links');
        const target = readlinkSync(step);
        rest.push(...partsOf(target));
        if (!isAbsolute(target)) continue;
        next = openSync(root, O_PATH | O_DIRECTORY);
      }
      closeSync(at);
      at = next;
    }
    return at;
  } catch (error) {
    closeSync(at);
    throw error;
  }
}

/** The parts of a path, the first one last. */
function partsOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reverse();
}
