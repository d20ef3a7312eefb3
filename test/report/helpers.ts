import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { collectorNames } from '../../src/catalogue/catalogue.ts';
import { HistoryWriter } from '../../src/history/writer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { logs } from '../delivery/helpers.ts';
import { PROXTOP } from '../e2e/program.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

export const MINUTE = 60_000;
/** A spike of one guest: in these ten seconds 10 % and 70 % of RDY. */
export const spike = { guest: 'db<main>', mean: 40, max: 70 };

/** A directory that is removed when the test ends. */
export function place(t: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-report-'));
  t.after(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Names that try to be more than text. */
export const names = [
  spike.guest,
  '</script><img src=x onerror="alert(1)">',
  '<!--<script>',
  '$&$1$$',
  'line\u2028separators\u2029',
  '\u05d0\u05d1\u05d2 right to left \u202e',
  'x'.repeat(200),
  '=1+1',
];

interface Story {
  /** ms since 1970. */
  readonly begin: number;
  readonly minutes: number;
  /** Minutes of which there is nothing. */
  readonly gap?: readonly [from: number, to: number];
  /** The minute of the spike. */
  readonly spikeAt?: number;
  readonly guests?: readonly string[];
}

/** The samples of a story, every five seconds. */
export function* samplesOf({
  begin,
  minutes,
  gap = [0, 0],
  spikeAt = -1,
  guests = names,
}: Story): Generator<Sample> {
  for (let index = 1; index <= minutes * 12; index++) {
    const minute = Math.floor((index - 1) / 12);
    if (minute >= gap[0] && minute < gap[1]) continue;
    const isSpike = minute === spikeAt && (index - 1) % 12 < 2;
    const vms = guests.map((name, guest) =>
      vmRows(
        row('vm', {
          UUID: `u${guest}`,
          name,
          vmid: String(100 + guest),
          pid: String(4000 + guest),
          cpu_total: 20 + guest,
          cpu_steal: guest === 0 && isSpike ? (index % 2 === 1 ? 10 : 70) : 1,
          disk_lat_avg: 2,
          disk_reads: 100,
          ram_used: 2 ** 30,
          net_rx_mbit: 1.5,
        }),
        {},
      ),
    );
    const verdict = row('agent_verdict', {
      rule: 'cpu-short',
      subject: `100 ${guests[0] ?? ''}`,
      state: 'holds',
      class: 3,
      age: 10,
      text: `100 ${guests[0] ?? ''} RDY 40 %: 105 takes 75 % of 8 CPUs`,
    });
    yield sampleOf({
      time: begin + index * 5000 + 2,
      seq: index,
      run: 'first',
      interval: 5,
      host: {
        ...sampleOf({}).host,
        row: row('host', { host_name: 'pve1', cpu_user: 30, ram_available: 2 ** 33 }),
      },
      guests: vms,
      agent: { ...sampleOf({}).agent, verdicts: isSpike ? [verdict] : [] },
    });
  }
}

/** Keeps a story as a history in a directory, in records of ten seconds. */
export async function keep(directory: string, story: Story): Promise<void> {
  const settings = {
    directory,
    interval: 10,
    keep: 3650 * 86_400,
    maxBytes: 2 ** 30,
    collectors: collectorNames,
  };
  const writer = new HistoryWriter(settings, logs().log);
  for (const sample of samplesOf(story)) writer.write(sample);
  await writer.close(60_000);
}

interface Made {
  readonly code: number | null;
  readonly stderr: string;
  readonly stdout: string;
}

/** Runs `proxtop report` as it was built. */
export async function report(
  flags: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = tmpdir(),
): Promise<Made> {
  const child = spawn(PROXTOP, ['report', ...flags], { env: { ...process.env, TZ: 'UTC', ...env }, cwd });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

export function textOf(path: string): string {
  return readFileSync(path, 'utf8');
}
