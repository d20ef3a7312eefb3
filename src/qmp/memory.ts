import type { QmpQuery } from './query.ts';
import { list, record } from '../base/untyped/values.ts';

/** Bytes of memory that a VM was started with, DIMMs and the like left out. Source: query-memory-size-summary, QEMU qapi/machine.json. */
export const queryMemorySize: QmpQuery<number> = {
  execute: 'query-memory-size-summary',
  read: (reply) => sizeIn(reply, 'base-memory'),
};

/**
 * Bytes of memory that are plugged into a VM: its DIMMs, and what its virtio-mem devices have of theirs now. The plugged
 * memory of query-memory-size-summary has NVDIMMs in it, which to the guest are disks.
 *
 * Source: query-memory-devices, QEMU qapi/machine.json.
 */
export const queryMemoryDevices: QmpQuery<number> = {
  execute: 'query-memory-devices',
  read: (reply) =>
    list(reply)
      .map(record)
      .filter(({ type }) => type === 'dimm' || type === 'virtio-mem')
      .reduce((sum, { data }) => sum + sizeIn(data, 'size'), 0),
};

function sizeIn(object: unknown, key: string): number {
  const size = record(object)[key];
  return typeof size === 'number' && size >= 0 ? size : NaN;
}
