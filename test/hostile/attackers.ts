import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../lab/processes.ts';

export const NOBODY = 65534;

/** A directory of some user, with mode 0755. */
export function directoryOf(t: TestContext, uid: number): string {
  const path = mkdtempSync(join(tmpdir(), 'proxtop-hostile-'));
  chmodSync(path, 0o755);
  chownSync(path, uid, uid);
  t.after(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** Starts a process of nobody's that calls itself kvm. @returns its pid */
export async function fakeKvm(t: TestContext, cwd: string, args: readonly string[]): Promise<number> {
  // A shell that waits for its input: small, and what follows the script are arguments as QEMU has them. The kernel names
  // the process after the link that it was started by.
  const program = join(directoryOf(t, NOBODY), 'kvm');
  symlinkSync('/bin/sh', program);
  const child = spawn(program, ['-c', 'read x', ...args], {
    argv0: 'kvm',
    cwd,
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await begun(t, child);
  return child.pid ?? -1;
}

/** So many fakes, with monitors that are hostile in one way each. */
export async function evilVms(t: TestContext, count: number): Promise<void> {
  const directory = directoryOf(t, NOBODY);
  const program = fileURLToPath(new URL('evil-monitors.mjs', import.meta.url));
  const server = spawn(process.execPath, [program, directory, String(count)], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await begun(t, server);
  await once(server.stdout, 'data');
  for (let n = 0; n < count; n++)
    await fakeKvm(t, directory, [
      '-name',
      `evil${n}`,
      '-qmp',
      `unix:${join(directory, `${n}.qmp`)},server=on`,
    ]);
}

async function begun(t: TestContext, child: ChildProcess): Promise<void> {
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
}

/** A memory limit for a program, in whichever cgroup hierarchy has the controller. */
export class MemoryLimit {
  private constructor(private readonly path: string) {}

  /** Undefined where there is no controller that we may use. @param bytes with swap, where that is counted */
  static make(t: TestContext, bytes: number): MemoryLimit | undefined {
    for (const [root, file] of [
      ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
      ['/sys/fs/cgroup', 'memory.max'],
    ] as const) {
      const path = join(root, `proxtop-hostile-${process.pid}`);
      try {
        mkdirSync(path);
        writeFileSync(join(path, file), String(bytes));
      } catch {
        continue;
      }
      t.after(async () => {
        await until('the cgroup is empty', () => readFileSync(join(path, 'cgroup.procs'), 'latin1') === '');
        rmdirSync(path);
      });
      return new MemoryLimit(path);
    }
    return undefined;
  }

  /** Puts a process under the limit. */
  hold(pid: number): void {
    writeFileSync(join(this.path, 'cgroup.procs'), String(pid));
  }
}

/** The largest resident size that a process has had, in MiB. */
export function peak(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
