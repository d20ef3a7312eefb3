import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cgroupMount } from '../lab/cgroup.ts';
import { ContainerTree } from '../guests/container-tree.ts';
import { ContainerHost } from '../lab/container-host.ts';
import { hangingMount, threadsInStatfs } from '../lab/hanging-mount.ts';
import { until } from '../lab/processes.ts';
import type { Cycle } from './program.ts';
import { EVERYTHING, PROXTOP, domain, num } from './program.ts';

const missing = existsSync('/usr/bin/lxc-start') && process.getuid?.() === 0 ? false : 'needs root and lxc';
const [spinner, sleeper] = [{ vmid: 901 }, { vmid: 902 }] as const;

/** A proxtop in the host of the containers, or on this machine. */
class Watcher {
  readonly ended: Promise<unknown>;
  private readonly child;
  private readonly lines: AsyncIterator<string>;

  constructor(host: ContainerHost | undefined, ...flags: readonly string[]) {
    const command = [process.execPath, PROXTOP, '--printer=json', ...EVERYTHING, ...flags];
    const [program = '', ...args] = host?.inside(...command) ?? command;
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.ended = once(this.child, 'exit');
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first cycle from now on that is wanted. */
  async next(wanted: (cycle: Cycle) => boolean = () => true): Promise<Cycle> {
    for (;;) {
      const line = await this.lines.next();
      assert.ok(line.done !== true, 'proxtop has ended');
      const cycle = JSON.parse(line.value) as Cycle;
      if (wanted(cycle)) return cycle;
    }
  }

  stop(): void {
    this.child.kill();
  }
}

/** A number in cpu.stat of a container, read by awk. */
function usage(host: ContainerHost, vmid: number): number {
  const args = ['$1 == "usage_usec" { print $2 }', join(host.groupOf(vmid), 'cpu.stat')];
  return Number(execFileSync('awk', args, { encoding: 'utf8' }));
}

describe('containers of LXC in the layout of Proxmox VE', { skip: missing }, () => {
  let host: ContainerHost;

  before(async () => {
    host = await ContainerHost.create(cgroupMount());
    await host.start(spinner.vmid, 'while :; do :; done');
    await host.start(
      sleeper.vmid,
      'while read -r line; do :; done </dev/zero & while :; do busybox sleep 1000; done',
    );
  });

  after(async () => {
    await host.close();
  });

  test('their CPU time is that of their cgroups, and nothing is said that nobody knows', async () => {
    const watcher = new Watcher(host, '--frequency=1');
    try {
      await watcher.next(({ domains }) => domains.length === 2);
      const [usedBefore, before] = [usage(host, spinner.vmid), performance.now()];
      const cycles = [await watcher.next(), await watcher.next(), await watcher.next(), await watcher.next()];
      const cores = num(domain(cycles[0] as Cycle, spinner), 'cpu_cores');
      const cpus = (usage(host, spinner.vmid) - usedBefore) / 1000 / (performance.now() - before);
      const shown = cycles.map((cycle) => (num(domain(cycle, spinner), 'cpu_total') / 100) * cores);
      const mean = shown.reduce((sum, each) => sum + each, 0) / shown.length;
      assert.ok(Math.abs(mean - cpus) < 0.25, `${shown.join()} CPUs shown, ${cpus} after awk`);
      const row = domain(cycles[0] as Cycle, spinner);
      assert.deepEqual(
        ['guest_type', 'UUID', 'name'].map((id) => row?.[id]),
        ['lxc', 'proxmox-901', 'CT901'],
      );
      for (const id of ['cpu_steal', 'ram_used', 'ram_rss', 'disk_lat_avg', 'cpu_limit', 'disk_root_size'])
        assert.ok(
          !(id in (row ?? {})),
          `${id}: this kernel has no controllers, the root no file system of its own`,
        );
      assert.ok(num(row, 'psi_some_cpu_avg10') >= 0);
    } finally {
      watcher.stop();
    }
  });

  test('traffic has the directions of the container', async () => {
    host.run('ip', 'addr', 'add', '10.9.0.1/24', 'dev', 'veth902i0');
    host.run('ip', 'link', 'set', 'veth902i0', 'up');
    const watcher = new Watcher(host, '--frequency=1');
    try {
      await watcher.next(({ domains }) => domains.length === 2);
      // Nobody has this address: the requests go one way.
      host.run('ip', 'neigh', 'replace', '10.9.0.77', 'lladdr', '02:00:00:00:00:99', 'dev', 'veth902i0');
      const send = `const socket = require('node:dgram').createSocket('udp4');
        for (let i = 0; i < 20; i++) socket.send(Buffer.alloc(1000), 9, '10.9.0.77', () => i === 19 && socket.close());`;
      host.run(process.execPath, '-e', send);
      const cycle = await watcher.next((each) => Number(domain(each, sleeper)?.['net_rx_bytes']) > 1000);
      const row = domain(cycle, sleeper);
      assert.equal(row?.nics?.[0]?.['device'], 'veth902i0');
      assert.ok(num(row, 'net_rx_bytes') > num(row, 'net_tx_bytes'), JSON.stringify(row.nics));
    } finally {
      watcher.stop();
    }
  });

  test('cgroups that a tenant makes are neither printed nor followed', async () => {
    const evil = join(host.groupOf(sleeper.vmid), 'ns', '\u001b[31mevil');
    mkdirSync(evil);
    for (let i = 0; i < 500; i++) mkdirSync(join(host.groupOf(sleeper.vmid), 'ns', `lxc.payload.${i}`));
    const watcher = new Watcher(host, '--frequency=0.5');
    try {
      const cycle = await watcher.next(({ domains, seq }) => domains.length >= 2 && seq > 3);
      assert.deepEqual(cycle.domains.map(({ name }) => name).sort(), ['CT901', 'CT902']);
      assert.doesNotMatch(JSON.stringify(cycle), /evil/);
    } finally {
      watcher.stop();
      rmdirSync(evil);
    }
  });

  test('one that starts and stops in a loop is another one each time, and leaves no descriptor', async () => {
    const watcher = new Watcher(host, '--frequency=0.5', '--containers');
    const vmid = 903;
    const present = (cycle: Cycle): boolean => domain(cycle, { vmid }) !== undefined;
    try {
      const first = await watcher.next(({ seq }) => seq > 4);
      const pid = Number(
        readFileSync(`/proc/${watcher.pid}/task/${watcher.pid}/children`, 'utf8').trim() || watcher.pid,
      );
      const descriptors = (): number => readdirSync(`/proc/${pid}/fd`).length;
      const before = descriptors();
      const pids = new Set<unknown>();
      for (let round = 0; round < 3; round++) {
        await host.start(vmid, 'while :; do busybox sleep 1000; done');
        pids.add(domain(await watcher.next(present), { vmid })?.['pid']);
        host.stop(vmid);
        await watcher.next((cycle) => !present(cycle));
      }
      assert.equal(pids.size, 3);
      const last = await watcher.next();
      assert.equal(descriptors(), before);
      assert.equal(num(last.agent, 'missed_ticks'), num(first.agent, 'missed_ticks'));
      assert.equal(num(last.agent, 'collector_errors'), 0);
    } finally {
      watcher.stop();
    }
  });

  test('--vms shows none of them', () => {
    const line = host.run(
      process.execPath,
      PROXTOP,
      '--vms',
      '--printer=json',
      '--runs=1',
      '--log-level=error',
    );
    assert.deepEqual((JSON.parse(line) as Cycle).domains, []);
  });
});

test('a root file system that hangs delays no sample and no end', { skip: missing }, async (t) => {
  const tree = new ContainerTree(t);
  tree.run('/lxc/902', '/lxc.monitor/902', 302);
  tree.write('proc/302/root/etc/hostname', 'a\n');
  const mount = await hangingMount(join(tree.root, 'proc/302/root'));
  const { procfs, sysfs, cgroupfs, pvedir } = tree.host.roots;
  const roots = [`--procfs=${procfs}`, `--sysfs=${sysfs}`, `--cgroupfs=${cgroupfs}`, `--pvedir=${pvedir}`];
  const watcher = new Watcher(undefined, '--containers', '--frequency=0.5', '--log-level=error', ...roots);
  try {
    await until('a thread hangs', () => threadsInStatfs(watcher.pid) === 1);
    const first = await watcher.next();
    const later = await watcher.next(({ seq }) => seq >= first.seq + 6);
    assert.equal(threadsInStatfs(watcher.pid), 1);
    assert.deepEqual(
      later.domains.map(({ name }) => name),
      ['CT902'],
    );
    assert.ok(!('disk_root_size' in (domain(later, { vmid: 902 }) ?? {})));
    assert.equal(num(later.agent, 'missed_ticks'), num(first.agent, 'missed_ticks'));
    watcher.stop();
    await watcher.ended;
  } finally {
    watcher.stop();
    await mount.end();
  }
});
