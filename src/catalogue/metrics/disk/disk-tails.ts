import { mean } from '../../metric.ts';

const source = 'QMP query-blockstats *_latency_histogram';
const needs = 'latency_histogram = true, or another tool that has QEMU count';
const rule =
  'over the time between two answers of the monitor, linear within a bin; the last bin counts as its lower end';

/** Operations of a disk, as their ids, headings and sentences name them. */
const kinds = {
  rd: { noun: 'reads', counted: 'disk_read_latency_seconds' },
  wr: { noun: 'writes', counted: 'disk_write_latency_seconds' },
  fl: { noun: 'flushes', counted: 'disk_flush_latency_seconds' },
} as const;

/** How unequal the latencies of one kind of operations are: the mean hides the few that a user waits for. */
function tails<K extends keyof typeof kinds>(kind: K) {
  const { noun, counted } = kinds[kind];
  return [
    mean(`disk_lat_${kind}_p50`, {
      title: `P50/${kind}`,
      unit: 'ms',
      shown: 'verbose',
      source,
      formula: `quantile 0.5 ${rule}; omitted with fewer than 20 operations`,
      meaning: `Half of the ${noun} took less than this.`,
      needs,
    }),
    mean(`disk_lat_${kind}_p99`, {
      title: `P99/${kind}`,
      unit: 'ms',
      ...(kind === 'fl' && { shown: 'verbose' }),
      source,
      formula: `quantile 0.99 ${rule}; omitted with fewer than 200 operations`,
      meaning: `One in a hundred ${noun} took longer than this: what users feel where the mean looks good.`,
      needs,
      histogram: { name: counted, help: `How long ${noun} took, since proxtop first saw QEMU count them` },
      levels: '50/100',
      causes: [
        'The disk reaches a limit (iops, mbps) in bursts: see %LIMIT, and KAVG above DAVG.',
        'The device stalls now and then: its cache fills, it collects garbage, a path or a mirror fails over.',
        'A backup, snapshot or scrub takes the device for moments at a time: press b to see whose.',
      ],
    }),
    mean(`disk_lat_${kind}_max`, {
      title: `MAX/${kind}`,
      unit: 'ms',
      shown: 'verbose',
      source,
      formula:
        'upper end of the highest bin that counted anything between two answers; of the last bin its lower end',
      meaning: `The slowest of the ${noun} took no longer than this; from the last bin on, at least this.`,
      needs,
    }),
  ] as const;
}

/** The distribution of the latencies of a virtual disk. */
export const diskTails = [...tails('rd'), ...tails('wr'), ...tails('fl')];
