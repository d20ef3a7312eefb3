// What befalls nodes while the built program watches them over real sshds: slow links, wrong clocks, VMs that move, and its own end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { slots } from '../../src/catalogue/catalogue.ts';
import { ClusterRecording } from '../../src/cluster/cluster-recording.ts';
import type { ClusterSample } from '../../src/cluster/cluster-sample.ts';
import { Merger } from '../../src/cluster/merge.ts';
import { Recording } from '../../src/recording/recording.ts';
import { NodeVerdicts } from '../../src/tui/analysis/node-verdicts.ts';
import type { Cycle, Row } from '../e2e/program.ts';
import { EVERYTHING, num, PROXTOP, Stream } from '../e2e/program.ts';
import { removeScope } from '../lab/cgroup.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { hasEnded, until } from '../lab/processes.ts';
import { missingForSsh, SshLab } from '../lab/ssh-node.ts';
import type { SshNode } from '../lab/ssh-node.ts';
import type { LabVm, VmSpec } from '../lab/vm.ts';

const library = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((directory) => join(directory, 'faketime/libfaketime.so.1'))
  .find((path) => existsSync(path));
const missing = [
  ...missingForLab(),
  ...missingForSsh(),
  ...(library === undefined ? ['libfaketime (Debian package faketime)'] : []),
];
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const names = ['kvm1', 'kvm2'] as const;
type Name = (typeof names)[number];
const MIB = 1 << 20;
const { cpu_total } = slots('cpu', 'vm');
const { disk_reads } = slots('disk', 'vm_disk');

/** The row of a node in a record of the host that watches; undefined in others. */
function nodeOf({ agent }: Cycle, name: Name): Row | undefined {
  return (agent['nodes'] as readonly Row[]).find((row) => row['name'] === name);
}

/** The text that a row has under an id; '' where it has none. */
function textOf(row: Row, id: string): string {
  const text = row[id];
  return typeof text === 'string' ? text : '';
}

/** Bytes of memory that a process takes. */
function rss(pid: number): number {
  const [, kib = ''] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

describe('proxtop --hosts in hard times', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-hardships-'));
  const labs = new Map<Name, Lab>();
  const nodes = new Map<Name, SshNode>();
  let ssh: SshLab;
  let watcher: Stream;

  const lab = (name: Name): Lab => labs.get(name) ?? assert.fail();
  const node = (name: Name): SshNode => nodes.get(name) ?? assert.fail();
  const clock = (name: Name): string => join(directory, `clock-${name}`);
  const setClock = (name: Name, offset: string): void => {
    writeFileSync(clock(name), `${offset}\n`);
  };

  /** The next record of the host that watches in which the row of a node is as wanted. */
  const row = async (name: Name, what: string, wanted: (row: Row) => boolean): Promise<Row> => {
    const cycle = await watcher.next(`${name}: ${what}`, (each) => {
      const found = nodeOf(each, name);
      return found !== undefined && wanted(found);
    });
    return nodeOf(cycle, name) ?? assert.fail();
  };
  const isUp = (each: Row): boolean => each['state'] === 'up' && each['guests'] !== undefined;

  before(async () => {
    ssh = new SshLab();
    for (const name of names) {
      const own = Lab.create();
      labs.set(name, own);
      await own.run({ name: `vm-of-${name}`, vmid: 100, guest: 'idle' });
      setClock(name, '+0');
      writeFileSync(join(directory, name), `${name}\n`);
      const fake = [
        `LD_PRELOAD=${library ?? ''}`,
        `FAKETIME_TIMESTAMP_FILE=${clock(name)}`,
        'FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1',
      ].join(' ');
      // A name of its own, as the kernel tells it.
      const words = `mount --bind ${join(directory, name)} /proc/sys/kernel/hostname; export ${fake}; exec ${PROXTOP} --proxmox ${own.flags().join(' ')} "$@"`;
      nodes.set(name, await ssh.node(name, `exec unshare --mount sh -c '${words}' sh "$@"`));
    }
    watcher = Stream.start(['--hosts', names.join(), ...EVERYTHING]);
    for (const name of names) await row(name, 'up', isUp);
  });

  after(async () => {
    await watcher.stop();
    await ssh.close();
    await Promise.all([...labs.values()].map((each) => each.close()));
    rmSync(directory, { recursive: true });
  });

  /** Hands on the moments that were recorded since a record, as a replay shows them. Returns how many there were. */
  const replay = async (from: Cycle, see: (moment: ClusterSample) => void): Promise<number> => {
    const path = join(directory, 'part.json');
    const begin = watcher.cycles.indexOf(from);
    writeFileSync(path, watcher.lines.slice(begin).join('\n') + '\n');
    const recording = await Recording.open(path);
    const cluster = await ClusterRecording.of(recording);
    let index = 0;
    for (;;) {
      const moment = await cluster?.at(index);
      if (moment === undefined) break;
      see(moment);
      index++;
    }
    await recording.close();
    return index;
  };

  test('a link that is too slow is told, with the age of its values; no other node is late', async () => {
    const [pid = NaN] = node('kvm1').running('--printer=msgpack');
    const begun = watcher.cycles.length;
    const before = { watcher: rss(watcher.pid), remote: rss(pid) };
    node('kvm1').limit('2kbit');
    const slow = await row(
      'kvm1',
      'slow and old',
      (each) => each['state'] === 'slow' && num(each, 'age') >= 4,
    );
    assert.match(
      textOf(slow, 'verdict'),
      /^(samples come \d+ s late: the link is too slow|the link is too slow: of the next sample)/,
    );
    assert.ok(rss(watcher.pid) < before.watcher + 64 * MIB);
    assert.ok(rss(pid) < before.remote + 64 * MIB);
    node('kvm1').limit(undefined);
    await row('kvm1', 'up again', (each) => isUp(each) && num(each, 'age') < 3);
    const others = watcher.cycles.slice(begun).flatMap((each): Row[] => {
      const found = nodeOf(each, 'kvm2');
      return found === undefined ? [] : [found];
    });
    assert.ok(others.length >= 4);
    for (const other of others) assert.deepEqual([other['state'], num(other, 'age') < 3], ['up', true]);
  });

  test('a clock that is minutes off, or set, is told and mixes nothing up', async () => {
    const from = await watcher.next('a record of all', (each) => nodeOf(each, 'kvm1') !== undefined);
    const begun = watcher.cycles.length;
    // Ahead, at once far behind that, and right again.
    for (const [offset, verdict] of [
      ['+450', /^its clock is 7 min ahead of the clock of this host$/],
      ['-330', /^its clock is 5 min behind the clock of this host$/],
      ['+0', undefined],
    ] as const) {
      setClock('kvm2', offset);
      const told = await row('kvm2', `clock ${offset}`, (each) => {
        const text = textOf(each, 'verdict');
        const isAsWanted = verdict === undefined ? !text.includes('clock') : verdict.test(text);
        return isUp(each) && isAsWanted && Math.abs(num(each, 'clock_offset') - Number(offset)) < 3;
      });
      assert.ok(num(told, 'age') < 3, `${num(told, 'age')} s`);
    }
    for (const cycle of watcher.cycles.slice(begun))
      for (const name of names)
        assert.equal(nodeOf(cycle, name)?.['state'] ?? 'up', 'up', `${name} at ${cycle['@timestamp']}`);
    // What belongs together comes together in a replay, whatever the times say.
    const merger = new Merger();
    const verdicts = new NodeVerdicts();
    let [whole, last, text] = [0, 0, ''];
    const count = await replay(from, (moment) => {
      assert.ok(moment.time > last, 'moments go on by the clock of the host that watches');
      last = moment.time;
      const merged = merger.merge(moment);
      verdicts.add(merged);
      text += verdicts.now.map((each) => each.text).join();
      if (merged.guests.length === 2) whole++;
    });
    assert.ok(whole >= count - 6, `${whole} of ${count} moments are of both nodes`);
    assert.doesNotMatch(text, /NaN|Infinity/);
  });

  test('a clock that stands still is no slow link, and ends nothing', async () => {
    const begun = watcher.cycles.length;
    const [date = '', time = ''] = new Date().toISOString().split(/[T.]/);
    // To libfaketime a time without a sign before it is one that stays.
    setClock('kvm2', `${date} ${time}`);
    const told = await row('kvm2', 'clock stands', (each) => num(each, 'clock_offset') < -20);
    assert.match(textOf(told, 'verdict'), /^its clock is \d+ s behind the clock of this host$/);
    setClock('kvm2', '+0');
    await row('kvm2', 'clock right', (each) => isUp(each) && num(each, 'clock_offset') === 0);
    for (const cycle of watcher.cycles.slice(begun)) {
      const found = nodeOf(cycle, 'kvm2');
      assert.equal(found?.['state'] ?? 'up', 'up', textOf(found ?? {}, 'verdict'));
    }
  });

  test('a VM that migrates is one row that changes its node, there and back, and stays where that fails', async () => {
    const uuid = '6f0c6f6c-0001-4000-8000-00000000cafe';
    const spec: VmSpec = {
      vmid: 200,
      name: 'mover',
      uuid,
      guest: 'disk',
      disks: [{ interface: 'scsi', size: 64 * MIB, shape: 'drive' }],
    };
    const ends = new Map(names.map((name) => [name, lab(name).define(spec)]));
    const end = (name: Name): LabVm => ends.get(name) ?? assert.fail();
    const image = (name: Name): string => end(name).disks[0]?.image ?? '';
    unlinkSync(image('kvm2'));
    symlinkSync(image('kvm1'), image('kvm2'));
    const start = async (name: Name, incoming?: string): Promise<void> => {
      await lab(name).start(end(name), incoming);
      await leaveScope(lab(name), end(name));
    };
    /** A record of a node with the VM in a state. */
    const seen = (name: Name, state: RegExp): Promise<Cycle> =>
      watcher.next(
        `mover on ${name} ${state.source}`,
        ({ host, domains }) =>
          host['host_name'] === name &&
          domains.some((each) => each['UUID'] === uuid && state.test(textOf(each, 'state'))),
      );
    const migrate = (from: Name, socket: string) =>
      lab(from).qmp(end(from), 'migrate', { uri: `unix:${socket}` });
    const status = async (name: Name): Promise<string> => {
      const answer = await lab(name).qmp(end(name), 'query-status');
      return (answer as { readonly status: string }).status;
    };
    const move = async (from: Name, to: Name): Promise<void> => {
      const socket = join(directory, `to-${to}`);
      await start(to, `unix:${socket}`);
      await migrate(from, socket);
      await until('the memory is there', async () => (await status(to)) === 'running');
      assert.equal(await status(from), 'postmigrate');
      await seen(to, /./);
      await lab(from).stop(end(from));
      // Proxmox VE moves the configuration, too.
      lab(from).pve.remove(200);
      await seen(to, /running/);
    };

    await start('kvm1');
    await seen('kvm1', /running/);
    const from =
      watcher.cycles.find(({ agent }) => (agent['nodes'] as readonly Row[]).length > 0) ?? assert.fail();
    lab('kvm2').pve.remove(200);

    // It fails: the target ends in the midst of it.
    lab('kvm2').writeConfig(end('kvm2'));
    const socket = join(directory, 'fails');
    await start('kvm2', `unix:${socket}`);
    await lab('kvm1').qmp(end('kvm1'), 'migrate-set-parameters', { 'max-bandwidth': 4096 });
    await migrate('kvm1', socket);
    await seen('kvm2', /inmigrate/);
    await lab('kvm2').kill(end('kvm2'));
    await until('the migration fails', async () => {
      const migration = await lab('kvm1').qmp(end('kvm1'), 'query-migrate');
      return (migration as { readonly status: string }).status === 'failed';
    });
    assert.equal(await status('kvm1'), 'running');
    await lab('kvm1').qmp(end('kvm1'), 'migrate-set-parameters', { 'max-bandwidth': 1 << 30 });
    await move('kvm1', 'kvm2');
    lab('kvm1').writeConfig(end('kvm1'));
    await move('kvm2', 'kvm1');

    const merger = new Merger();
    const places: string[] = [];
    await replay(from, (moment) => {
      const rows = merger.merge(moment).guests.filter(({ guest }) => guest.uuid === uuid);
      assert.ok(rows.length <= 1, `${rows.length} rows`);
      const [found] = rows;
      if (found === undefined) return;
      if (places.at(-1) !== found.node.name) places.push(found.node.name);
      for (const { scope, values } of [found.row, ...found.disks, ...found.vcpus])
        for (const value of values)
          if (!Number.isNaN(value)) assert.ok(value >= 0 && value < 2 ** 40, `${scope}: ${value}`);
      // Of one vCPU, and of a disk that a guest reads sector by sector.
      assert.ok(!(Number(found.row.values[cpu_total]) > 400), `cpu_total ${found.row.values[cpu_total]}`);
      for (const { values } of found.disks)
        assert.ok(!(Number(values[disk_reads]) > 20_000), `disk_reads ${values[disk_reads]}`);
    });
    assert.deepEqual(places, ['kvm1', 'kvm2', 'kvm1']);
  });

  test('what runs on the nodes ends with the watcher, however that ends, and with the network', async () => {
    const others = new Set(names.flatMap((name) => node(name).running('--printer=msgpack')));
    const own = (): number[] =>
      names.flatMap((name) => node(name).running('--printer=msgpack')).filter((pid) => !others.has(pid));
    const watch = async (): Promise<Stream> => {
      const child = Stream.start(['--hosts', names.join()]);
      await child.first('samples of all', (each) => names.every((name) => isUp(nodeOf(each, name) ?? {})));
      assert.ok(own().length >= names.length);
      return child;
    };
    const killed = await watch();
    const killedSshs = childrenOf(killed.pid);
    assert.equal(killedSshs.length, names.length);
    process.kill(killed.pid, 'SIGKILL');
    await until('ssh ends', () => killedSshs.every(hasEnded));
    await until('proxtop ends on the nodes', () => own().length === 0);

    // The view in a terminal that is closed: its window is gone.
    const terminal = spawn('script', ['-qfc', `exec ${PROXTOP} --hosts ${names.join()}`, '/dev/null'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await until('proxtop runs on the nodes', () => own().length >= names.length);
    const [view = NaN] = childrenOf(terminal.pid ?? NaN);
    const all = [view, ...childrenOf(view)];
    assert.equal(all.length, 1 + names.length);
    terminal.kill('SIGKILL');
    await until('the view and ssh end', () => all.every(hasEnded));
    await until('proxtop ends on the nodes', () => own().length === 0);

    // It hangs, and ssh with it, as after Ctrl-Z: connections stay, and nobody reads.
    const child = await watch();
    const stopped = [child.pid, ...childrenOf(child.pid)];
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    await until('proxtop ends on the nodes', () => own().length === 0);
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    await child.next('samples of all', (each) => names.every((name) => isUp(nodeOf(each, name) ?? {})));

    const sshs = childrenOf(child.pid);
    node('kvm2').cut();
    await child.next('kvm2 is silent', (each) => nodeOf(each, 'kvm2')?.['state'] === 'silent');
    await until('its ssh ends', () => sshs.some(hasEnded));
    // Nobody can tell the node.
    await until('proxtop ends there', () => node('kvm2').running('--printer=msgpack').length === 0);
    const { code } = await child.stop();
    assert.equal(code, 0);
    await until('proxtop ends on the other node', () => own().length === 0);
  });
});

/** Both ends of a migration would share the cgroup of the VM, as they share this machine. */
async function leaveScope({ roots }: Lab, vm: LabVm): Promise<void> {
  if (vm.cgroup === undefined) return;
  writeFileSync(join(roots.cgroupfs, 'cgroup.procs'), String(vm.runningPid));
  await removeScope(roots.cgroupfs, vm.cgroup);
  vm.cgroup = undefined;
}

/** The processes that a process has started. */
function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}
