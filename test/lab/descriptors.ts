import { readdirSync, readlinkSync } from 'node:fs';

/** The paths under `root` that descriptors of this process are open on; whatever other tests open and close meanwhile. */
export function openUnder(root: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(root) ? [path] : [];
    } catch {
      return []; // The descriptor of readdir itself.
    }
  });
}
