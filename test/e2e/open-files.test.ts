import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { missingForLab } from '../lab/lab.ts';
import { commandLine, listens, until } from '../lab/processes.ts';
import type { Cycle, Row } from './program.ts';
import { EVERYTHING, PROXTOP, Stream, num } from './program.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const QEMU = 'qemu-system-x86_64';
const PYTHON = '/usr/bin/python3';
const FLAGS = ['--qemu', '--frequency=0.2', '--detail-interval=0.2', ...EVERYTHING];
/** As many threads as are asked for, all of which wait. */
const manyThreads = `
import sys, threading
threading.stack_size(65536)
over = threading.Event()
for _ in range(int(sys.argv[1])):
    threading.Thread(target=over.wait, daemon=True).start()
over.wait()
`;

/** How many descriptors a process has for files of another one: there may be VMs of other tests beside it. */
const descriptors = (pid: number, of: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`).startsWith(`/proc/${of}/`))
    .length;
/** Where a link leads; '' for one that is gone. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
const threads = (pid: number): number => readdirSync(`/proc/${pid}/task`).length;

/** Sets the soft limit of a running process. */
const limit = (pid: number, files: number): unknown =>
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`]);

/** A proxtop that may have so many descriptors: Node itself raises the soft limit to the hard one. */
function startWith(files: number): Stream {
  const args = [`--nofile=${files}:${files}`, PROXTOP, '--printer=json', ...FLAGS];
  return new Stream(spawn('prlimit', args, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

describe('no descriptor is left', { skip, timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-files-'));
  /** Called kvm as a VM is, though what it runs is no QEMU. */
  const kvm = join(directory, 'kvm');
  const children = new Set<ChildProcess>();

  before(() => {
    copyFileSync(PYTHON, kvm);
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  async function start(program: string, args: readonly string[]): Promise<number> {
    const child = spawn(program, args, { cwd: directory, stdio: 'ignore' });
    children.add(child);
    await once(child, 'spawn');
    await until('it runs', () => commandLine(child.pid ?? -1)[0] === program);
    return child.pid ?? -1;
  }

  async function vm(name: string): Promise<number> {
    const monitor = join(directory, `${name}.qmp`);
    const pid = await start(QEMU, [
      ...['-S', '-nodefaults', '-display', 'none', '-accel', 'tcg,tb-size=8', '-m', '16', '-smp', '2'],
      ...['-name', `${name},debug-threads=on`, '-qmp', `unix:${monitor},server=on,wait=off`],
      ...['-drive', 'if=none,id=a,format=raw,file=null-co://', '-device', 'virtio-blk-pci,drive=a'],
    ]);
    await until('its monitor listens', () => listens(monitor));
    return pid;
  }

  const of = (cycle: Cycle, pid: number): Row | undefined =>
    cycle.domains.find((row) => row['pid'] === String(pid));
  const keys = (row: Row | undefined): string[] => Object.keys(row ?? {}).toSorted();
  /** Rates need two readings, of the kernel and of the monitor. */
  const settled = (row: Row | undefined): boolean =>
    row !== undefined && 'cpu_total' in row && 'disk_reads' in row && 'state' in row && 'ram_rss' in row;

  async function stopped(stream: Stream): Promise<string> {
    const { code, stderr } = await stream.stop();
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/too many open files/g)?.length, 1, stderr);
    return stderr;
  }

  test('it goes on, says so once, and has everything again when there are some', async () => {
    const old = await vm('old');
    const stream = Stream.start(FLAGS);
    let full = keys(of(await stream.next('all is known', (cycle) => settled(of(cycle, old))), old));
    // Some values come later than others on a machine that is busy: until ten cycles in a row have the same.
    for (let same = 0; same < 10; same++) {
      const now = keys(of(await stream.next(), old));
      if (String(now) !== String(full)) same = 0;
      full = now;
    }
    limit(stream.pid, 16);
    const young = await vm('young');
    await stream.until('it has noticed', () => stream.stderr.includes('too many open files'));
    await stream.next('the monitor cannot be asked', (cycle) => of(cycle, old)?.['qmp'] === 'error');
    for (let n = 0; n < 15; n++) {
      const cycle = await stream.next();
      const row = of(cycle, old);
      assert.ok(num(row, 'cpu_total') >= 0, 'the files that were open stay open');
      assert.equal(row?.['qmp'], 'error');
      assert.ok(!('disk_reads' in row), 'the monitor cannot be asked');
      assert.equal(of(cycle, young), undefined);
      // Whether the listings that need a descriptor failed or not: nothing is made up.
      assert.equal(cycle.domains.find((domain) => domain['pid'] === String(old))?.vcpus?.length, 2);
    }
    limit(stream.pid, 1024);
    for (const pid of [old, young])
      await stream.next(`all is known again: ${full.join(' ')}`, (cycle) =>
        full.every((key) => key in (of(cycle, pid) ?? {})),
      );
    assert.match(await stopped(stream), /warning too many open files \(LimitNOFILE=16\): values are omitted/);
    for (const child of children) child.kill('SIGKILL');
  });

  test('sixty processes called kvm are too many for 64 descriptors', async () => {
    const wait = 'import time; time.sleep(3600)';
    const pids = await Promise.all(Array.from({ length: 60 }, () => start(kvm, ['-c', wait])));
    const stream = startWith(64);
    await stream.until('it has noticed', () => stream.stderr.includes('too many open files'));
    for (let n = 0; n < 10; n++) await stream.next();
    for (const pid of pids.slice(10)) process.kill(pid, 'SIGKILL');
    const rest = pids.slice(0, 10);
    await stream.next('those that are left are all there', ({ domains }) =>
      rest.every((pid) => domains.some((row) => row['pid'] === String(pid) && 'ram_rss' in row)),
    );
    assert.match(await stopped(stream), /\(LimitNOFILE=64\)/);
    for (const child of children) child.kill('SIGKILL');
  });

  test('a process with thousands of threads takes no more of them than a VM would', async () => {
    const huge = await start(kvm, ['-c', manyThreads, '3000']);
    await until('it has its threads', () => threads(huge) > 3000);
    const real = await vm('real');
    const stream = startWith(4096);
    await stream.next('the real VM is known', (cycle) => settled(of(cycle, real)));
    const cycle = await stream.next('the huge one too', (each) => 'ram_rss' in (of(each, huge) ?? {}));
    assert.ok(!('cpu_other_total' in (of(cycle, huge) ?? {})), 'what all of its threads do is not known');
    const held = descriptors(stream.pid, huge);
    assert.ok(held < 300, `${held} descriptors`);
    const { code, stderr } = await stream.stop();
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /too many open files/);
  });
});
