import type { DiskHistograms } from './latency-histogram.ts';
import { histogramsIn } from './latency-histogram.ts';
import type { QmpQuery } from './query.ts';
import { list, record, shortText } from '../base/untyped/values.ts';

/**
 * What QEMU counted on one block backend since it was attached; NaN or undefined where it reported nothing. All members are
 * always present, because V8 compiles shorter code for objects of one shape.
 */
export interface BlockStats {
  /** Name of the backend; empty for one made with -blockdev. */
  readonly device: string;
  /** Id or QOM path of the device in the guest. */
  readonly qdev: string | undefined;
  /** Name of the topmost node; missing for an empty drive. */
  readonly nodeName: string | undefined;
  /** Names of the nodes below it, down to the file or device: another image has other ones. */
  readonly layers: string;
  /** Driver of the lowest node where QEMU tells it: `file`, `host_device`, `nvme`. */
  readonly medium: string | undefined;
  readonly rdOps: number;
  readonly wrOps: number;
  readonly flOps: number;
  readonly rdBytes: number;
  readonly wrBytes: number;
  /** Times in ns, summed over parallel operations. */
  readonly rdTime: number;
  readonly wrTime: number;
  readonly flTime: number;
  /** Operations of all kinds that failed or were invalid. */
  readonly failures: number;
  /** Latency histograms, if QEMU was told to keep them. */
  readonly histograms: DiskHistograms | undefined;
}

/** More layers than a disk has: throttle, filter of a job, format, file. */
const MOST_LAYERS = 16;
const kinds = ['rd', 'wr', 'flush', 'unmap', 'zone_append'];
/** Which of them there are depends on QEMU's version. */
const failures = kinds.flatMap((kind) => [`failed_${kind}_operations`, `invalid_${kind}_operations`]);

/** Disks and drives of one VM: Proxmox VE allows 57. */
export const MOST_BACKENDS = 256;

/**
 * The counters of every block backend that has a name or is attached to a device: disks, CD-ROMs, firmware flash.
 * Of the layers below (`parent`) only the names are taken; they repeat the same fields, as those of `backing` do.
 *
 * Source: query-blockstats, QEMU qapi/block-core.json.
 */
export const queryBlockstats: QmpQuery<readonly BlockStats[]> = {
  execute: 'query-blockstats',
  most: MOST_BACKENDS,
  read: (reply) => list(reply).map(readBackend),
};

function readBackend(entry: unknown): BlockStats {
  const backend = record(entry);
  const stats = record(backend['stats']);
  let layers = '';
  let lowest = backend;
  for (let depth = 0; depth < MOST_LAYERS && 'parent' in lowest; depth++) {
    lowest = record(lowest['parent']);
    layers += `${shortText(lowest['node-name']) ?? ''} `;
  }
  return {
    device: shortText(backend['device']) ?? '',
    qdev: shortText(backend['qdev']),
    nodeName: shortText(backend['node-name']),
    layers,
    medium: shortText(record(lowest['driver-specific'])['driver']),
    rdOps: numberOf(stats['rd_operations']),
    wrOps: numberOf(stats['wr_operations']),
    flOps: numberOf(stats['flush_operations']),
    rdBytes: numberOf(stats['rd_bytes']),
    wrBytes: numberOf(stats['wr_bytes']),
    rdTime: numberOf(stats['rd_total_time_ns']),
    wrTime: numberOf(stats['wr_total_time_ns']),
    flTime: numberOf(stats['flush_total_time_ns']),
    failures: sumOf(failures, stats),
    histograms: histogramsIn(stats),
  };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}

/** The sum of the counters that are known; NaN where none is. */
function sumOf(names: readonly string[], stats: Readonly<Record<string, unknown>>): number {
  let sum = NaN;
  for (const name of names) {
    const value = stats[name];
    if (typeof value === 'number') sum = Number.isNaN(sum) ? value : sum + value;
  }
  return sum;
}
