/**
 * What the built program makes of a backlog and of an outage, from outside. Run as:
 *
 *     node --import tsx bench/backlog.ts          or side by side: make bench-compare BENCH=backlog BASE=664da81
 *
 * The program gets a spool of 100 000 records of 300
 * bytes in the format of 0.1.0, which all releases read, and samples ten times a second meanwhile: how long until all
 * have arrived, how late the new ones are, and the most memory it took. Then samples of 300 kB, as of 200 VMs, ten times a
 * second and no receiver: memory after each ten seconds, the sixth of an hour's records in a minute.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { frame } from '../src/delivery/ledger/spool/frame.ts';
import { compare, heading, programOf } from './compare.ts';
import type { Figures } from './compare.ts';

const RECORDS = 100_000;
const PER_SEGMENT = 6000;
const OUTAGE_SECONDS = 60;

/** A directory with a host of so many disks: a sample takes 140 bytes for each. */
function host(devices: number): string {
  const root = mkdtempSync(join(tmpdir(), 'proxtop-bench-'));
  for (const path of ['run', 'proc', 'state/stream']) mkdirSync(join(root, path), { recursive: true });
  symlinkSync('/proc/stat', join(root, 'proc/stat'));
  let stats = '';
  for (let index = 0; index < devices; index++) {
    mkdirSync(join(root, `sys/class/block/sd${index}/device`), { recursive: true });
    stats += `   8 ${index} sd${index}${' 0'.repeat(17)}\n`;
  }
  writeFileSync(join(root, 'proc/diskstats'), stats);
  return root;
}

function start(program: string, root: string, port: number): ChildProcess {
  const config = join(root, 'proxtop.conf');
  writeFileSync(
    config,
    [
      'frequency = 0.1',
      'collectors = cpu, disk',
      'devices = true',
      ...['proc', 'sys'].map((name) => `${name}fs = ${join(root, name)}`),
      `rundir = ${join(root, 'run')}`,
      `state_dir = ${join(root, 'state')}`,
      '[connector]',
      'type = qemu',
      '[output.stream]',
      'type = tcp',
      `target = 127.0.0.1:${port}`,
      'spool = true',
    ].join('\n'),
  );
  return spawn(program, ['--config', config], { stdio: 'ignore' });
}

/** Memory of a process in MiB, now or at most so far. */
function memory({ pid }: ChildProcess, which: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) / 1024;
}

/** The segments of 0.1.0: a header of 12 bytes, then the frames of today. */
function writeBacklog(directory: string): void {
  const header = Buffer.alloc(12);
  header.write('PXSPOOL\x01', 'latin1');
  header.writeUInt32BE(crc32(header.subarray(0, 8)), 8);
  for (let first = 1; first <= RECORDS; first += PER_SEGMENT) {
    const pieces: Buffer[] = [header];
    for (let number = first; number < Math.min(first + PER_SEGMENT, RECORDS + 1); number++) {
      const bytes = Buffer.from(`{"old":${number},"filler":"${'x'.repeat(280)}"}\n`);
      pieces.push(...frame({ number, time: Date.now(), bytes, sent: false }));
    }
    writeFileSync(join(directory, `${String(first).padStart(16, '0')}.spool`), Buffer.concat(pieces));
  }
}

async function backlog(program: string, figures: Figures): Promise<void> {
  const root = host(0);
  writeBacklog(join(root, 'state/stream'));
  const old = new Set<string>();
  let late = 0;
  let again = 0;
  const server = createServer((socket) => {
    let rest = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, number] = /^{"old":(\d+)/.exec(line) ?? [];
        const [, time] = /^{"@timestamp":"([^"]+)"/.exec(line) ?? [];
        if (number !== undefined && old.has(number)) again++;
        if (number !== undefined) old.add(number);
        if (time !== undefined && old.size < RECORDS) late = Math.max(late, Date.now() - Date.parse(time));
      }
    });
  }).listen(0, '127.0.0.1');
  await sleep(100);
  const began = performance.now();
  const child = start(program, root, (server.address() as AddressInfo).port);
  while (old.size < RECORDS) await sleep(20);
  figures.set(`backlog of ${RECORDS} records: s`, (performance.now() - began) / 1000);
  figures.set('backlog: records that came twice', again);
  figures.set('backlog: new records late, ms at most', late);
  figures.set('backlog: memory, MiB at most', memory(child, 'VmHWM'));
  child.kill('SIGKILL');
  server.close();
  rmSync(root, { recursive: true, force: true });
}

async function outage(program: string, figures: Figures): Promise<void> {
  const root = host(2100);
  const child = start(program, root, 9);
  for (let second = 10; second <= OUTAGE_SECONDS; second += 10) {
    await sleep(10_000);
    figures.set(`no receiver, memory after ${second} s, MiB`, memory(child, 'VmRSS'));
  }
  child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}

heading(`a backlog, and ${OUTAGE_SECONDS} s of 10 records of 300 kB a second without a receiver`);
await compare(async (build) => {
  const figures: Figures = new Map();
  await backlog(programOf(build), figures);
  await outage(programOf(build), figures);
  return figures;
}, 1);
process.exit();
