/**
 * What watching a cluster costs the host that watches: nodes with 100 guests each, a sample a second, each through the pipe of a program
 * that stands for ssh. The samples are those of bench/synthetic-host.ts: 4 vCPUs, 2 disks and a NIC for each VM, three of
 * four rates 0, as on real hosts. First what comes is read and nothing else, then the built program shows it (200x50).
 * Run: node --import tsx bench/cluster.ts [NODES] (32 if none are named); WARM_UP=90 and SECONDS=30 of each part. With one sample
 * a second V8 compiles for more than a minute: 10 ms a second of threads of its own.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseHosts } from '../src/cluster/hosts-list.ts';
import { SshSource } from '../src/cluster/ssh/ssh-source.ts';
import { until } from '../test/lab/processes.ts';
import { compareParts, count } from './compare.ts';
import type { Figures } from './compare.ts';
import { CpuMeter, childrenOf, residentMiB, serviceEnvironment } from './processes.ts';

const WARM_UP = count('WARM_UP', 90);
const SECONDS = count('SECONDS', 30);
const SIZE = { columns: 200, rows: 50 };
const root = fileURLToPath(new URL('..', import.meta.url));
const nodes = Number(process.argv[2] ?? 32);
const names = Array.from({ length: nodes }, (_, index) => `node${index}`);

const directory = mkdtempSync(join(tmpdir(), 'proxtop-bench-'));
for (const name of names) execFileSync('mkfifo', [join(directory, name)]);
// The host is the last argument but one.
writeFileSync(
  join(directory, 'ssh'),
  `#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\nexec cat "${directory}/$1"\n`,
);
chmodSync(join(directory, 'ssh'), 0o755);
process.env['PATH'] = [directory, process.env['PATH']].join(delimiter);

const service = { ...serviceEnvironment(), HOME: directory, TERM: 'xterm-256color', LANG: 'C.UTF-8' };

/** Lets nodes send while something goes on. @returns bytes of their last sample */
async function withNodes(act: () => Promise<void>): Promise<number> {
  const program = fileURLToPath(new URL('cluster-nodes.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, directory, ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let size = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    size = Number(line);
  });
  try {
    await act();
  } finally {
    child.kill();
  }
  return size;
}

/** What a process takes after it has warmed up. */
async function measure(figures: Figures, what: string, pid: number): Promise<void> {
  await sleep(WARM_UP * 1000);
  const meter = new CpuMeter([[pid]]);
  await sleep(SECONDS * 1000);
  const [cpu = NaN] = meter.read();
  figures.set(`${what}: CPU, ms a second`, cpu);
  figures.set(`${what}: resident, MiB`, residentMiB(pid));
}

async function reading(figures: Figures): Promise<void> {
  const sources = parseHosts(names.join()).map((address) => new SshSource(address));
  let samples = 0;
  for (const source of sources) source.onNews = () => samples++;
  await measure(figures, 'reading', process.pid);
  if (samples < nodes * SECONDS)
    throw new Error(`${samples} samples came, expected one of each node a second`);
  await Promise.all(sources.map((source) => source.close()));
}

/** The view on a terminal that `script` makes. */
async function viewing(figures: Figures): Promise<void> {
  const command = `stty cols ${SIZE.columns} rows ${SIZE.rows}; exec ${join(root, 'dist/proxtop')} --hosts ${names.join()}`;
  const script = spawn('script', ['-qfec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: service,
  });
  let shown = '';
  script.stdout.setEncoding('latin1').on('data', (text: string) => {
    shown = (shown + text).slice(-50_000);
  });
  await until('a guest is shown', () => shown.includes('guest-'));
  const [pid = 0] = childrenOf(script.pid ?? 0);
  await measure(figures, 'the view', pid);
  script.stdin.write('q');
  await new Promise((resolve) => script.once('exit', resolve));
}

await compareParts(import.meta.filename, async (figures) => {
  const size = await withNodes(() => reading(figures));
  await withNodes(() => viewing(figures));
  figures.set('a sample of a node, KiB', size / 1024);
});
rmSync(directory, { recursive: true });
