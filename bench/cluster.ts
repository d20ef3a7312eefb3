/**
 * What watching a cluster costs: nodes with 100 guests each, a sample a second, each through a pipe of a program that stands for
 * ssh and replays MessagePack. The samples are of real names and sizes, with every metric known: no node sends more.
 * Run: node --import tsx bench/cluster.ts [NODES] (32 if none are named)
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectorNames, columns } from '../src/catalogue/catalogue.ts';
import type { Scope } from '../src/catalogue/define.ts';
import { Row } from '../src/catalogue/row.ts';
import { listsOf } from '../src/catalogue/row-tree.ts';
import { parseHosts } from '../src/cluster/hosts-list.ts';
import { SshSource } from '../src/cluster/ssh-source.ts';
import { createPrinter } from '../src/formats/index.ts';
import type { Sample } from '../src/sampling/sample.ts';

const GUESTS = 100;
const WARM_UP = 10_000;
const SECONDS = 20;
/** Samples that are replayed, so that values differ from one to the next. */
const SAMPLES = 5;
const nodes = Number(process.argv[2] ?? 32);
/** Devices of a guest; of other kinds one. */
const devices: Partial<Record<Scope, number>> = { vm_vcpu: 4, vm_disk: 2 };

function typical(unit: string): number {
  if (unit === 'percent') return Math.random() * 100;
  if (unit === 'bytes') return Math.floor(Math.random() * 2 ** 24) * 4096;
  return unit === 'count' ? Math.floor(Math.random() * 100) : 10 ** (Math.random() * 7 - 1);
}

function full(scope: Scope, name: string): Row {
  const row = new Row(scope);
  for (const { slot, kind, unit, id } of columns(scope)) {
    if (kind === 'text') row.texts[slot] = `${id}-of-${name}`;
    else row.values[slot] = typical(unit);
  }
  return row;
}

const many = (scope: Scope, count: number, owner: string) =>
  Array.from({ length: count }, (_, index) => full(scope, `${owner}-${index}`));

function sampleOf(seq: number): Sample {
  return {
    time: Date.now(),
    run: 'bench',
    seq,
    interval: 1,
    host: { row: full('host', 'pve1'), ...listsOf('host', ({ scope }) => many(scope, 4, 'pve1')) },
    guests: Array.from({ length: GUESTS }, (_, index) => {
      const name = `vm${index}`;
      const lists = listsOf('vm', ({ scope }) => many(scope, devices[scope] ?? 1, name));
      return {
        guest: { type: 'qemu', key: name, uuid: name, name },
        twin: false,
        row: full('vm', name),
        ...lists,
      };
    }),
    agent: { row: full('agent', 'agent'), ...listsOf('agent', () => []) },
    collectors: collectorNames,
    runs: [],
  };
}

const printer = createPrinter('msgpack', {
  layout: 'cycle',
  verbose: true,
  devices: true,
  human: false,
  names: 'proxtop',
});
const directory = mkdtempSync(join(tmpdir(), 'proxtop-bench-'));
const size = Array.from({ length: SAMPLES }, (_, seq) => {
  const record = Buffer.concat(printer.print(sampleOf(seq + 1)));
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
