/**
 * The stages of a cycle, on real QEMU processes with 4 vCPUs, a disk and a NIC each, and the floor: the same files read by a
 * loop that does nothing else. For the whole program see program.ts. Run as root:
 * node --import tsx bench/cycle.ts [VMS]... (50 and 200 if none are named)
 */
import { openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Collector } from '../src/collectors/collector.ts';
import { createCollectors } from '../src/collectors/index.ts';
import { ProxmoxInventory } from '../src/guests/proxmox/proxmox.ts';
import { Paths } from '../src/kernel/base/paths.ts';
import { collectorNames } from '../src/catalogue/catalogue.ts';
import { createPrinter } from '../src/formats/index.ts';
import { Sampler } from '../src/sampling/sampler.ts';
import { Lab } from '../test/lab/lab.ts';
import type { LabVm } from '../test/lab/vm.ts';
import { compareParts, median } from './compare.ts';
import type { Figures } from './compare.ts';

const PASSES = 30;

/** The files that a cycle reads, each with whether it comes in pieces. */
function filesOf(lab: Lab, vms: readonly LabVm[]): [path: string, pieces: boolean][] {
  const files: [string, boolean][] = [
    ...['stat', 'loadavg', 'meminfo', 'uptime', 'pressure/cpu', 'pressure/io', 'pressure/memory'].map(
      (file): [string, boolean] => [`/proc/${file}`, false],
    ),
    ['/proc/diskstats', true],
    ['/proc/net/dev', true],
  ];
  for (const { pid } of vms) {
    for (const file of ['stat', 'status', 'io']) files.push([`/proc/${pid}/${file}`, false]);
    for (const tid of readdirSync(`/proc/${pid}/task`))
      files.push([`/proc/${pid}/task/${tid}/schedstat`, false]);
    const group = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
    for (const file of ['cpu.stat', 'cpu.pressure', 'io.pressure', 'memory.pressure']) {
      files.push([`${lab.roots.cgroupfs}${group}/${file}`, false]);
    }
  }
  return files;
}

/** The cheapest possible loop over the same files. */
async function floor(lab: Lab, vms: readonly LabVm[], figures: Figures): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  const files = filesOf(lab, vms).map(([path, pieces]) => ({ fd: openSync(path, 'r'), pieces }));
  const costs: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const start = process.cpuUsage();
    for (const { fd, pieces } of files) {
      let at = readSync(fd, buffer, 0, buffer.length, 0);
      if (pieces) for (let n = at; n > 0; at += n) n = readSync(fd, buffer, 0, buffer.length, at);
    }
    const { user, system } = process.cpuUsage(start);
    costs.push((user + system) / 1000);
    await sleep(200);
  }
  figures.set(`${vms.length} VMs, floor: files`, files.length);
  figures.set(`${vms.length} VMs, floor: CPU, ms a cycle`, median(costs));
}

/** The stages of a cycle, timed inside this process. */
async function stages(lab: Lab, count: number, figures: Figures): Promise<void> {
  const paths = new Paths(lab.roots);
  const log = pino({ level: 'silent' });
  const times = new Map<string, number[]>();
  const timed = <T>(name: string, work: () => T): T => {
    const start = performance.now();
    const result = work();
    const list = times.get(name) ?? [];
    list.push(performance.now() - start);
    times.set(name, list);
    return result;
  };
  const settings = { wanted: { verbose: true, devices: false }, netdev: undefined, storedev: undefined };
  const collectors = createCollectors(collectorNames, paths, settings).map((collector): Collector => ({
    name: collector.name,
    collect: (host, vms) => {
      timed(collector.name, () => {
        collector.collect(host, vms);
      });
    },
    close: () => {
      collector.close();
    },
  }));
  const connector = new ProxmoxInventory(paths, { detailInterval: 5, frequency: 1 }, log);
  const inventory = connector.guests.bind(connector);
  connector.guests = () => timed('inventory', inventory);
  const sampler = new Sampler(paths, connector, collectors, log);
  const print = { layout: 'cycle', verbose: true, devices: false, human: false, names: 'proxtop' } as const;
  const printer = createPrinter('json', print);
  connector.guests();
  await connector.poll(true);
  sampler.prime();
  await connector.poll(true);
  for (let pass = 0; pass < PASSES; pass++) {
    await sleep(200);
    const sample = timed('cycle', () => sampler.sample(0, []));
    timed('json', () => printer.print(sample));
  }
  sampler.close();
  for (const [name, list] of times) figures.set(`${count} VMs, ${name}: ms a cycle`, median(list.slice(5)));
}

const counts = process.argv.slice(2).map(Number);
await compareParts(import.meta.filename, async (figures) => {
  for (const count of counts.length > 0 ? counts : [50, 200]) {
    const lab = Lab.create();
    try {
      const disks = [{ interface: 'scsi', size: 2 ** 24, shape: 'blockdev' }] as const;
      const vms = await lab.startMany(count, { cores: 4, disks, nics: [{ model: 'rtl8139' }] });
      // QEMU's worker threads end when they had nothing to do for 10 s.
      await sleep(12_000);
      await floor(lab, vms, figures);
      await stages(lab, count, figures);
    } finally {
      await lab.close();
    }
  }
});
