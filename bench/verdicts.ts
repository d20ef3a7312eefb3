/**
 * What it costs to judge a sample: of guests of which none suffers, and of such that all wait for a CPU.
 * Run: npx tsx bench/verdicts.ts [GUESTS] (200 if none is named)
 */
import { Verdicts } from '../src/verdicts/verdicts.ts';
import { sampleAt, several } from '../test/verdicts/world.ts';

const SAMPLES = 600;
const WARM_UP = 100;
const count = Number(process.argv[2] ?? 200);
const ids = Array.from({ length: count }, (_, index) => 100 + index);

/** The median of ms a sample. @param ready percent of the time that each guest waits for a CPU */
function measure(ready: number): number {
  const disks = { scsi0: { disk_reads: 50, disk_writes: 20, disk_lat_avg: 1, disk_device: 'sda' } };
  const nics = { tap: { net_rx_packets: 500, net_rx_drop_percent: 0, net_rx_mbit: 4, net_tx_mbit: 4 } };
  const guests = several(ids, () => ({ cpu_steal: ready, cpu_steal_max: ready, disks, nics }));
  const sample = sampleAt({ host: { cpu_idle: 0 }, guests }, 0);
  const verdicts = new Verdicts();
  const spent: number[] = [];
  for (let second = 0; second < SAMPLES; second++) {
    const next = { ...sample, seq: second + 1, time: sample.time + second * 1000 };
    const before = performance.now();
    verdicts.add(next);
    if (second >= WARM_UP) spent.push(performance.now() - before);
  }
  return spent.sort((a, b) => a - b)[spent.length >> 1] ?? NaN;
}

for (const [name, ready] of [
  ['nobody suffers', 1],
  ['all wait for a CPU', 40],
] as const)
  console.log(`${count} guests, ${name}: ${measure(ready).toFixed(3)} ms a sample`);
