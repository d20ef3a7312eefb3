/**
 * What watching a cluster costs: nodes with 100 guests each, a sample a second, each through a pipe of a program that stands for
 * ssh and replays MessagePack. The samples are those of bench/synthetic-host.ts: 4 vCPUs, 2 disks and a NIC for each VM, three of
 * four rates 0, as on real hosts.
 * Run: node --import tsx bench/cluster.ts [NODES] (32 if none are named)
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseHosts } from '../src/cluster/hosts-list.ts';
import { SshSource } from '../src/cluster/ssh-source.ts';
import { createPrinter } from '../src/formats/index.ts';
import { syntheticHost } from './synthetic-host.ts';

const GUESTS = 100;
const WARM_UP = 10_000;
const SECONDS = 20;
/** Samples that are replayed, so that values differ from one to the next. */
const SAMPLES = 5;
const nodes = Number(process.argv[2] ?? 32);
const sampleOf = syntheticHost(GUESTS);

const printer = createPrinter('msgpack', {
  layout: 'cycle',
  verbose: true,
  devices: true,
  human: false,
  names: 'proxtop',
});
const directory = mkdtempSync(join(tmpdir(), 'proxtop-bench-'));
const size = Array.from({ length: SAMPLES }, (_, seq) => {
  const record = Buffer.concat(printer.print(sampleOf(seq)));
  writeFileSync(join(directory, `${seq}`), record);
  return record.length;
})[0]!;
const files = Array.from({ length: SAMPLES }, (_, seq) => join(directory, `${seq}`)).join(' ');
writeFileSync(
  join(directory, 'ssh'),
  `#!/bin/sh\nwhile :; do for f in ${files}; do cat $f || exit; sleep 1; done; done\n`,
);
chmodSync(join(directory, 'ssh'), 0o755);
process.env['PATH'] = [directory, process.env['PATH']].join(delimiter);

const names = Array.from({ length: nodes }, (_, index) => `node${index}`).join();
const sources = parseHosts(names).map((address) => new SshSource(address));
await sleep(WARM_UP);
let samples = 0;
for (const source of sources) source.onNews = () => samples++;
const before = process.cpuUsage();
await sleep(SECONDS * 1000);
const { user, system } = process.cpuUsage(before);
console.log(
  `${nodes} nodes with ${GUESTS} guests: ${(size / 1024).toFixed(0)} KiB a sample, ${samples / SECONDS} samples a second, ` +
    `${((user + system) / 1000 / SECONDS).toFixed(1)} ms of CPU a second, ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
);
await Promise.all(sources.map((source) => source.close()));
rmSync(directory, { recursive: true });
