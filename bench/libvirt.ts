/**
 * What measuring a libvirt host costs, on a real libvirtd with real QEMU processes of 2 vCPUs, a disk and a NIC each,
 * which are paused, so that nothing else uses the CPU: one sample a second, defaults otherwise. Run as root:
 *
 *     node --import tsx bench/libvirt.ts          or side by side: make bench-compare BENCH=libvirt BASE=664da81
 *
 * VMS=50, WARM_UP=20 and SECONDS=40 of each run, ROUNDS=3. V8 goes on compiling for five minutes at one sample a second: for
 * figures of a service WARM_UP=300 SECONDS=120. Per domain and second: CPU of proxtop, with the floor, which is a loop that
 * reads the same files and does nothing else; and the CPU it causes in libvirtd and QEMU, from the schedstat of all
 * their threads against the same time without proxtop.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabLibvirtd } from '../test/lab/libvirtd.ts';

import { compare, count, heading, programOf } from './compare.ts';
import type { Build, Figures } from './compare.ts';
import { CpuMeter, serviceEnvironment } from './processes.ts';

const VMS = count('VMS', 50);
const WARM_UP = count('WARM_UP', 20);
const SECONDS = count('SECONDS', 40);
const IDLE_SECONDS = 20;
const AT_ONCE = 4;
const FLOOR_PASSES = 10;
const env = serviceEnvironment();

/** CPU of the cheapest possible loop over the files of the processes that a cycle reads, in ms a pass. */
async function floorOf(pids: readonly number[]): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  const files = pids.flatMap((pid) => [
    ...['stat', 'io'].map((file) => `/proc/${pid}/${file}`),
    ...readdirSync(`/proc/${pid}/task`).map((tid) => `/proc/${pid}/task/${tid}/schedstat`),
  ]);
  const descriptors = files.map((path) => openSync(path, 'r'));
  let total = 0;
  for (let pass = 0; pass < FLOOR_PASSES; pass++) {
    const start = process.cpuUsage();
    for (const fd of descriptors) readSync(fd, buffer, 0, buffer.length, 0);
    const { user, system } = process.cpuUsage(start);
    total += (user + system) / 1000;
    await sleep(1000);
  }
  for (const fd of descriptors) closeSync(fd);
  return total / FLOOR_PASSES;
}

async function startDomains(lab: LabLibvirtd): Promise<number[]> {
  const names = Array.from({ length: VMS }, (_, index) => `bench-${index}`);
  const left = names.values();
  const starter = async (): Promise<void> => {
    for (const name of left) {
      const tap = `pb${randomInt(2 ** 32).toString(36)}`;
      const devices = `<interface type='ethernet'><target dev='${tap}'/><model type='virtio'/><script path='/bin/true'/></interface>`;
      await lab.startDomain({ name, paused: true, devices });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, starter));
  return names.map((name) => lab.qemuPid(name));
}

/** CPU of a build and of what it asks, while it samples. @param idle of libvirtd and QEMU without it, ms a second */
async function measure(
  build: Build,
  lab: LabLibvirtd,
  groups: readonly (readonly number[])[],
  idle: readonly number[],
): Promise<Figures> {
  const uri = `qemu+unix:///system?socket=${lab.sockets}/libvirt-sock-ro`;
  const flags = `--libvirt -c ${uri} --output=stdout --printer=json`.split(' ');
  const child = spawn(programOf(build), flags, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let last = '{}';
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = line;
  });
  await sleep(WARM_UP * 1000);
  const meter = new CpuMeter([[child.pid ?? 0], ...groups]);
  await sleep(SECONDS * 1000);
  const [own = NaN, libvirtd = NaN, qemu = NaN] = meter
    .read()
    .map((used, index) => (used - (idle[index - 1] ?? 0)) / VMS);
  child.kill();
  const { domains } = JSON.parse(last) as { domains: unknown[] };
  if (domains.length !== VMS) throw new Error(`${domains.length} of ${VMS} domains are seen`);
  return new Map([
    ['own CPU, ms per domain and second', own],
    ['caused in libvirtd, ms', libvirtd],
    ['caused in QEMU, ms', qemu],
    ['caused, ms per domain and second', libvirtd + qemu],
  ]);
}

heading(`${VMS} domains`);
const lab = await LabLibvirtd.start();
try {
  const qemus = await startDomains(lab);
  const groups = [[lab.pid], qemus];
  await sleep(IDLE_SECONDS * 1000);
  const meter = new CpuMeter(groups);
  await sleep(IDLE_SECONDS * 1000);
  const idle = meter.read();
  console.log(`  floor ${((await floorOf(qemus)) / VMS).toFixed(3)} ms per domain and second`);
  await compare((build) => measure(build, lab, groups, idle));
} finally {
  lab.close();
}
