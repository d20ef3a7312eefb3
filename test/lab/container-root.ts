import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The shell in a container, and all else that is in it (Debian package busybox-static). */
export const BUSYBOX = '/bin/busybox';

/** Makes the root of a container below a directory. @param script what its first process, a shell, does */
export function makeRoot(root: string, script: string): void {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'etc', 'tmp'])
    mkdirSync(join(root, name), { recursive: true });
  cpSync(BUSYBOX, join(root, 'bin/busybox'));
  symlinkSync('busybox', join(root, 'bin/sh'));
  writeFileSync(join(root, 'init'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}
