import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Kills what names the lab's directory on its command line (QEMU, and programs that look into the lab), again and
 * again, as a QEMU that is just starting has children; waits until cgroups and taps are free, and removes the rest.
 * The directory is handed to grep as a file, so that grep does not find itself.
 */
const script = `
root=$1 bridge=$2 slice=$3
read -r _
found() { echo "$root/" | grep -lzsFf - /proc/[0-9]*/cmdline; }
while files=$(found); [ -n "$files" ]; do
  for file in $files; do pid=\${file#/proc/}; kill -9 "\${pid%/cmdline}"; done
  sleep 0.02
done
busy() { rmdir "$slice/$1.scope"; set -- "$slice/$1.scope" /sys/class/net/tap"$1"i*; [ -e "$1" ] || [ -e "$2" ]; }
tries=0
for images in "$root"/images/[0-9]*; do
  while busy "\${images##*/}" && [ $((tries += 1)) -lt 500 ]; do sleep 0.02; done
done
rmdir "$slice"
ip link del "$bridge"
rm -rf "$root"
`;

/**
 * A process of its own that cleans up after a lab when the lab is closed or the process that made it ends, in
 * whatever way, be it by SIGKILL: it waits for the end of a pipe.
 */
export class Guardian {
  private readonly process: ChildProcessByStdio<Writable, null, null>;

  /**
   * @param root directory of the lab; images/<vmid>/ tells which VMs there were
   * @param bridge name of the bridge
   * @param slice directory of the cgroup that holds those of the VMs
   */
  constructor(root: string, bridge: string, slice: string) {
    // In a session of its own Ctrl-C and the end of the terminal do not reach it.
    const child = spawn('/bin/sh', ['-c', script, 'lab-guardian', root, bridge, slice], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.process = child;
    child.unref();
  }

  /** Has it clean up now; resolves when that is done. */
  async release(): Promise<void> {
    if (this.process.exitCode !== null) return;
    this.process.ref();
    this.process.stdin.end();
    await once(this.process, 'exit');
  }
}
