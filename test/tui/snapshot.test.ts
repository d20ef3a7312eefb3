import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangesPrinter } from '../../src/formats/changes/changes-printer.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { wholeSample } from '../../src/formats/printer.ts';
import { ChangedSamples } from '../../src/recording/changes/changed-samples.ts';
import { formatThatBegins } from '../../src/recording/format.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { RecentValues } from '../../src/tui/analysis/recent-values.ts';
import { Snapshots } from '../../src/tui/moments/snapshot.ts';
import { disk, sample, vm } from './samples.ts';

const start = Date.UTC(2026, 10, 22, 12);
const json = createPrinter('json', wholeSample);
const told = (of: Sample): string => json.print(of).join('');

/** The same choices in every run. */
let state = 7;
function chance(part: number): boolean {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 < part;
}

/** Guests and disks that come, go and change places, most of them as a second before. */
function* hosts(): Generator<Sample> {
  const disksOf = new Map(['a', 'b', 'c', 'd'].map((name) => [name, ['scsi0', 'scsi1']]));
  const load = new Map<string, number>();
  for (let second = 1; second <= 200; second++) {
    for (const [name, disks] of disksOf) {
      if (chance(0.3)) load.set(name, second);
      if (chance(0.1)) disks.reverse();
      if (chance(0.1)) disksOf.set(name, disks.length === 2 ? disks.slice(1) : ['scsi0', 'scsi1']);
    }
    const names = [...disksOf.keys()].filter(() => chance(0.95));
    const guests = (chance(0.1) ? names.reverse() : names).map((name) => {
      const disks = (disksOf.get(name) ?? []).map((device) =>
        disk(device, { disk_lat_avg: load.get(name + device) ?? 1 }),
      );
      if (chance(0.3)) load.set(`${name}scsi1`, second);
      return vm(
        name,
        { cpu_total: load.get(name) ?? 0, state: chance(0.1) ? 'paused' : 'running' },
        { disks },
      );
    });
    yield { ...sample(guests, { time: start + second * 1000, interval: 1 }), run: 'r', seq: second };
  }
}

test('rows that did not change are not looked at again, and everything else is: copies and remembered values', () => {
  const [printer, reader] = [new ChangesPrinter(), new ChangedSamples()];
  const [copies, plainCopies] = [new Snapshots(), new Snapshots()];
  const [recent, plainRecent] = [new RecentValues(), new RecentValues()];
  const series = [
    { scope: 'vm', id: 'cpu_total', keys: ['a', 'b', 'c', 'd'] },
    {
      scope: 'vm_disk',
      id: 'disk_lat_avg',
      keys: ['a', 'b', 'c'].flatMap((key) => [`${key}/vm_disk/scsi0`, `${key}/vm_disk/scsi1`]),
    },
  ] as const;
  const versions = new Map<string, number>();
  let untouched = 0;
  for (const host of hosts()) {
    const [record = assert.fail()] = printer.print(host);
    const read = reader.read(formatThatBegins(record[0] ?? 0)?.decode(record) ?? {});
    assert.ok(typeof read !== 'string');
    const copy = copies.copy(read);
    const plain = plainCopies.copy(host);
    assert.equal(told(copy), told(plain), `second ${host.seq}`);
    recent.add(copy);
    plainRecent.add(plain);
    for (const { keys, ...of } of series)
      assert.deepEqual(recent.steps(of, keys, 120), plainRecent.steps(of, keys, 120), `second ${host.seq}`);
    for (const { guest, row } of copy.guests) {
      if (row.version === versions.get(guest.key)) untouched++;
      versions.set(guest.key, row.version);
    }
  }
  assert.ok(untouched > 100, `${untouched} rows of guests stayed as they were`);
});
