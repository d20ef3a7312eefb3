/**
 * What delivery costs. Run: npx tsx bench/delivery.ts. The receivers are processes of their own.
 *
 * - CPU of a cycle of 200 VMs, verbose (300 kB), to an output over tcp with a spool and one over http, by the kernel's
 *   account, without printing.
 * - An hour without a receiver: 3600 of these records go to the spool. Memory beyond that before, and CPU.
 * - A backlog of 100 000 records of 300 bytes: how long it takes, and how late new records are meanwhile.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { OutputSet } from '../src/delivery/output-set.ts';
import type { OutputSettings } from '../src/delivery/settings.ts';
import type { Sample } from '../src/sampling/sample.ts';
import { compareParts } from './compare.ts';
import type { Figures } from './compare.ts';

const receiver = `
let late = 0;
const look = (text) => {
  for (const [, time] of text.matchAll(/"live":(\\d+)/g)) late = Math.max(late, Date.now() - Number(time));
};
const net = require('net').createServer((socket) => {
  socket.on('data', (data) => look(data.toString('latin1')));
  socket.on('error', () => {});
});
const http = require('http').createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(204).end());
});
net.listen(0, '127.0.0.1', () => http.listen(0, '127.0.0.1', () =>
  console.log(net.address().port, http.address().port)));
process.on('SIGUSR2', () => console.log(late));
`;

const root = mkdtempSync(join(tmpdir(), 'proxtop-bench-'));
const log = pino({ level: 'silent' });
const print = { layout: 'cycle', verbose: true, devices: false, human: false, names: 'proxtop' } as const;
const queue = { maxBytes: 64 << 20, whenFull: 'drop_oldest' } as const;

async function startReceiver(): Promise<{ child: ChildProcess; tcp: number; http: number }> {
  const child = spawn(process.execPath, ['-e', receiver], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [ports] = (await once(child.stdout, 'data')) as [Buffer];
  const [tcp = 0, http = 0] = ports.toString().split(' ').map(Number);
  return { child, tcp, http };
}

function outputs(tcp: number, http?: number): OutputSettings[] {
  const spool = { directory: join(root, 'tcp'), maxBytes: 4 * 2 ** 30, sync: 0.5, catchup: 0.5 };
  const common = { printer: 'json', print, queue } as const;
  const stream = {
    ...common,
    name: 'tcp',
    type: 'tcp',
    host: '127.0.0.1',
    port: tcp,
    timeout: 10,
    spool,
  } as const;
  if (http === undefined) return [stream];
  return [
    stream,
    {
      ...common,
      name: 'http',
      type: 'http',
      url: `http://127.0.0.1:${http}/`,
      timeout: 10,
      batch: { records: 5000, bytes: 1 << 20, age: 0 },
      body: 'lines',
      gzip: false,
      headers: {},
      credentials: {},
      tls: {},
    },
  ];
}

function openSet(print: () => Buffer[]): OutputSet {
  return new OutputSet(
    log,
    () => ({ print }),
    () => undefined,
  );
}

const waiting = ({ list }: OutputSet): number =>
  list.reduce((sum, { status }) => sum + status.queued + status.spooled, 0);
const sample = {} as Sample;
const large = Buffer.from(`{"padding":"${'x'.repeat(300_000)}"}\n`);

async function cycles(figures: Figures): Promise<void> {
  const { child, tcp, http } = await startReceiver();
  const set = openSet(() => [large]);
  await set.replace(outputs(tcp, http));
  await sleep(1500);
  const count = 300;
  const before = process.cpuUsage();
  for (let cycle = 0; cycle < count; cycle++) {
    set.write(sample);
    await sleep(20);
  }
  const { user, system } = process.cpuUsage(before);
  figures.set('200 VMs to two outputs: CPU, ms a cycle', (user + system) / 1000 / count);
  await set.close(5000);
  child.kill();
}

async function outage(figures: Figures): Promise<void> {
  const set = openSet(() => [large]);
  await set.replace(outputs(1));
  await sleep(1500);
  global.gc?.();
  const rss = process.memoryUsage.rss();
  let most = 0;
  const before = process.cpuUsage();
  for (let cycle = 0; cycle < 3600; cycle++) {
    set.write(sample);
    most = Math.max(most, process.memoryUsage.rss() - rss);
    if (cycle % 2 === 1) await sleep(5);
    // As much as a second apart would be on disk by then.
    while (set.list[0]!.status.queuedBytes > 2 << 20) await sleep(5);
  }
  const { user, system } = process.cpuUsage(before);
  figures.set('an hour without a receiver: memory, MiB more at most', most / 2 ** 20);
  figures.set('an hour without a receiver: CPU, ms a record', (user + system) / 1000 / 3600);
  await set.close(0);
  rmSync(join(root, 'tcp'), { recursive: true });
}

async function backlog(figures: Figures): Promise<void> {
  const { child, tcp } = await startReceiver();
  const small = Buffer.from(`{"padding":"${'x'.repeat(285)}"}\n`);
  let record = (): Buffer[] => Array.from({ length: 100 }, () => small);
  const set = openSet(() => record());
  await set.replace(outputs(1));
  for (let batch = 0; batch < 1000; batch++) set.write(sample);
  await set.close(10_000);
  record = () => [Buffer.from(`{"live":${Date.now()}}\n`)];
  const again = openSet(() => record());
  const began = performance.now();
  const cpu = process.cpuUsage();
  await again.replace(outputs(tcp));
  await sleep(20);
  while (waiting(again) > 1) {
    again.write(sample);
    await sleep(10);
  }
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const told = once(child.stdout!, 'data') as Promise<[Buffer]>;
  await sleep(200);
  child.kill('SIGUSR2');
  const [late] = await told;
  figures.set('backlog of 100 000 records: s', seconds);
  figures.set('backlog of 100 000 records: CPU, s', (user + system) / 1e6);
  figures.set('backlog of 100 000 records: new ones late, ms', Number(late.toString()));
  await again.close(0);
  child.kill();
}

await compareParts(import.meta.filename, async (figures) => {
  await cycles(figures);
  await outage(figures);
  await backlog(figures);
});
rmSync(root, { recursive: true });
process.exit(0);
