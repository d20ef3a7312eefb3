import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, MINUTE, spike } from '../report/helpers.ts';
import type { Machine } from './machine.ts';

const DAY = 24 * 60 * MINUTE;
const minutes = 8 * 60;
/** The minute of the night in which a guest waits. */
const spikeAt = 5 * 60;

/** The half hour of a night in which a guest waited, as `--from`, `--to` and `--at` take times: an emulator takes a minute to read eight hours. */
export interface Night {
  readonly from: string;
  readonly to: string;
  /** When it waited. */
  readonly spike: string;
}

/** The guest that waited: the mean of its ten seconds and the largest sample in them, percent of RDY. */
export const waited = { vmid: 100, name: 'db', mean: spike.mean, most: spike.max };

/** Puts the history of last night into the machine, ten at night to six in UTC, as its service would have written it. */
export async function liveThroughNight(machine: Machine): Promise<Night> {
  const six = Math.floor((Date.now() - 6 * 60 * MINUTE) / DAY) * DAY + 6 * 60 * MINUTE;
  const begin = six - minutes * MINUTE;
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-night-'));
  try {
    await keep(join(directory, 'history'), { begin, minutes, spikeAt, guests: [waited.name, 'web'] });
    const files = execFileSync('tar', ['-c', '-C', directory, '--owner=0', '--group=0', 'history']);
    await machine.run('mkdir -p /var/lib/proxtop && tar -x -C /var/lib/proxtop', files);
  } finally {
    rmSync(directory, { recursive: true });
  }
  const spikes = begin + spikeAt * MINUTE;
  const time = (ms: number): string => new Date(ms).toISOString();
  return { from: time(spikes - 15 * MINUTE), to: time(spikes + 15 * MINUTE), spike: time(spikes + 10_000) };
}
