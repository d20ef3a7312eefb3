import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';

/** A FUSE file system without anybody who answers: the kernel waits for its first words. Unmounted at the end of the input. */
const MOUNT = `
import ctypes, os, sys
fd = os.open('/dev/fuse', os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f'fd={fd},rootmode=40000,user_id=0,group_id=0'.encode()
if libc.mount(b'hanging', sys.argv[1].encode(), b'fuse', 0, options) != 0:
    raise OSError(ctypes.get_errno(), 'mount', sys.argv[1])
print('mounted', flush=True)
sys.stdin.read()
libc.umount2(sys.argv[1].encode(), 2)
`;
const STATFS: Partial<Record<NodeJS.Architecture, string>> = { x64: '137', arm64: '43' };

/** Mounts a file system on a directory that answers no question about it until it is ended. Needs root and python3. */
export async function hangingMount(directory: string): Promise<{ end: () => Promise<void> }> {
  const child = spawn('python3', ['-c', MOUNT, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  if (!Buffer.isBuffer(said)) throw new Error(`${directory}: no hanging file system could be mounted there`);
  return {
    end: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** How many threads of a process are asking a file system how full it is. */
export function threadsInStatfs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.filter((tid) => {
    try {
      return readFileSync(`/proc/${pid}/task/${tid}/syscall`, 'utf8').startsWith(`${STATFS[process.arch]} `);
    } catch {
      return false; // it has ended meanwhile
    }
  }).length;
}
