import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { until } from './processes.ts';

/** Block devices for tests, on files: loop devices. Each is given back by {@link close}. */
export class LabDevices {
  private readonly loops: string[] = [];
  private readonly exports: { readonly child: ChildProcess; readonly file: string }[] = [];

  /** A loop device over a file that QEMU or anybody can open. @returns its path, such as /dev/loop3 */
  loop(file: string): string {
    const device = execFileSync('losetup', ['--find', '--show', '--direct-io=on', file], {
      encoding: 'utf8',
    }).trim();
    this.loops.push(device);
    return device;
  }

  /**
   * A loop device that answers slowly: QEMU's storage daemon serves its file over FUSE, and a throttle makes every
   * operation wait. The device mapper's delay target would do, where there is one.
   * @param iops operations a second that it serves
   */
  async slowLoop(file: string, size: number, iops: number): Promise<string> {
    const mount = `${file}.slow`;
    for (const path of [file, mount]) closeSync(openSync(path, 'w'));
    const fd = openSync(file, 'r+');
    ftruncateSync(fd, size);
    closeSync(fd);
    const child = spawn(
      'qemu-storage-daemon',
      [
        ...[
          '--object',
          JSON.stringify({ 'qom-type': 'throttle-group', id: 'g', limits: { 'iops-total': iops } }),
        ],
        ...['--blockdev', `file,node-name=f,filename=${file}`],
        ...['--blockdev', 'throttle,node-name=t,throttle-group=g,file=f'],
        ...['--export', `fuse,id=e,node-name=t,mountpoint=${mount},writable=on`],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    this.exports.push({ child, file: mount });
    await until('the slow file is served', () => sizeOf(mount) === size);
    return this.loop(mount);
  }

  async close(): Promise<void> {
    for (const device of this.loops) execFileSync('losetup', ['-d', device]);
    for (const { child, file } of this.exports) {
      const ended = once(child, 'exit');
      if (child.kill('SIGTERM')) await ended;
      // Nothing is mounted any more where it ended in order.
      spawnSync('umount', ['--lazy', file], { stdio: 'ignore' });
    }
  }
}

function sizeOf(file: string): number {
  return Number(execFileSync('stat', ['-c', '%s', file], { encoding: 'utf8' }));
}
