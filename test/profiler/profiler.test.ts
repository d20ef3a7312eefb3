import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../src/profiler/profile.ts';
import type { SavedVm } from '../../src/profiler/profiler.ts';
import { ProfilePrinter } from '../../src/profiler/profile-printer.ts';
import { Profiler } from '../../src/profiler/profiler.ts';
import type { ProfilerSettings } from '../../src/profiler/settings.ts';
import type { GuestIdentity } from '../../src/guests/guest.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { row, sampleOf, set, vmRows } from '../formats/sample.ts';
import { defaults } from './support.ts';

const settings: ProfilerSettings = {
  profile: defaults,
  metrics: ['cpu', 'net'],
  limits: { net: undefined, io: undefined },
  outputFreq: 10,
};

function vm(uuid: string, key = '1'): GuestIdentity {
  return { type: 'qemu', key, uuid, name: uuid };
}

/** Feeds samples a second apart, counted from `seq`, on the minute plus as many seconds. */
function sample(
  seq: number,
  vms: readonly (readonly [vm: GuestIdentity, cpu: number])[],
  speed = 1000,
): Sample {
  const cpu = (value: number): Record<string, number> =>
    Number.isNaN(value) ? {} : { cpu_total: value, cpu_steal: 0, net_rx_mbit: 1, net_tx_mbit: 1 };
  return sampleOf({
    seq,
    time: Date.UTC(2026, 10, 22, 12, 0, seq),
    host: { row: row('host', { net_speed: speed }) },
    guests: vms.map(([each, value]) => ({ ...vmRows(row('vm', cpu(value))), guest: each })),
  });
}

/** A profiler with the printer of its only output. */
function printing(runs = Infinity, saved: readonly SavedVm[] = []): ReturnType<typeof withPrinter> {
  return withPrinter(new Profiler(settings, runs, saved));
}

function withPrinter(profiler: Profiler) {
  const printer = new ProfilePrinter(profiler);
  const print = (next: Sample): readonly Buffer[] => {
    profiler.take(next);
    return printer.print(next);
  };
  return { profiler, print, saved: () => profiler.saved() };
}

function profiles(records: readonly Buffer[]): Profile[] {
  return records.map((record) => {
    assert.ok(record.toString().endsWith('}\n'));
    return (JSON.parse(record.toString()) as { profile: Profile }).profile;
  });
}

function inputs(profile: Profile | undefined): number | undefined {
  return profile?.roottx.find(({ metric }) => metric === 'cpu')?.stats.count;
}

test('a line for each VM when the clock passes a multiple of the output interval', () => {
  const { profiler, print } = printing();
  const second = new ProfilePrinter(profiler);
  const [a, b] = [vm('a'), vm('b')];
  const found = new Map<number, Profile[]>();
  for (let seq = 3; seq <= 21; seq++) {
    const next = sample(seq, [
      [a, 50],
      [b, seq < 5 ? NaN : 100],
    ]);
    const lines = print(next);
    // A second output gets the same, another one a part of it.
    assert.deepEqual(second.print(next), lines);
    const part = new ProfilePrinter(profiler).print({ ...next, guests: next.guests.slice(1) });
    assert.deepEqual(part, lines.slice(1));
    if (lines.length > 0) found.set(seq, profiles(lines));
  }
  assert.deepEqual([...found.keys()], [10, 20]);
  assert.deepEqual(
    found.get(20)!.map((profile) => [profile.name, inputs(profile)]),
    [
      ['a', 18],
      ['b', 16],
    ],
  );
  const net = found.get(20)![0]!.roottx.find(({ metric }) => metric === 'net')!;
  assert.equal(net.stats.avg, 250_000);
  assert.equal(net.stats.max, 125e6);
});

test('the last sample of a limited run prints what there is', () => {
  const profiler = printing(3);
  const a = vm('a');
  assert.equal(profiler.print(sample(1, [[a, 50]])).length, 0);
  assert.equal(profiler.print(sample(2, [[a, 50]])).length, 0);
  assert.equal(inputs(profiles(profiler.print(sample(3, [[a, 50]])))[0]), 3);
});

test('a clock that is set back does not put the next line off', () => {
  const profiler = printing();
  const a = vm('a');
  profiler.print(sample(5000, [[a, 50]]));
  const printed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter(
    (seq) => profiler.print(sample(seq, [[a, 50]])).length > 0,
  );
  assert.deepEqual(printed, [10]);
});

test('the profile of a VM ends with it: one last line; when it starts again it is another VM', () => {
  const profiler = printing();
  const [a, b] = [vm('a'), vm('b')];
  profiler.print(
    sample(1, [
      [a, 50],
      [b, 50],
    ]),
  );
  profiler.print(
    sample(2, [
      [a, 50],
      [b, 50],
    ]),
  );
  const last = profiles(profiler.print(sample(3, [[b, 50]])));
  assert.deepEqual(
    last.map((profile) => [profile.name, inputs(profile)]),
    [['a', 2]],
  );
  assert.deepEqual(
    profiler.saved().map(({ uuid }) => uuid),
    ['b'],
  );
  const again = vm('a', '2');
  for (let seq = 4; seq < 10; seq++)
    profiler.print(
      sample(seq, [
        [again, 50],
        [b, 50],
      ]),
    );
  const lines = profiles(
    profiler.print(
      sample(10, [
        [again, 50],
        [b, 50],
      ]),
    ),
  );
  assert.deepEqual(
    lines.map((profile) => [profile.name, inputs(profile)]),
    [
      ['a', 7],
      ['b', 10],
    ],
  );
});

test('saved profiles go on with the same run of the VM, and only with that', () => {
  const first = printing();
  const [a, b] = [vm('a', '1:1'), vm('b', '2:2')];
  for (let seq = 1; seq <= 5; seq++)
    first.print(
      sample(seq, [
        [a, 50],
        [b, 50],
      ]),
    );
  const saved = JSON.parse(JSON.stringify(first.saved())) as SavedVm[];
  const second = printing(1, saved);
  assert.deepEqual(second.saved(), saved);
  const found = profiles(
    second.print(
      sample(1, [
        [vm('a', '1:1'), 50],
        [vm('b', '3:3'), 50],
      ]),
    ),
  );
  assert.deepEqual(
    found.map((profile) => [profile.name, inputs(profile)]),
    [
      ['a', 6],
      ['b', 1],
    ],
  );
});

test('a container: its kind is in the profile, and its CPU is known without steal', () => {
  const container: GuestIdentity = { type: 'lxc', key: '1', uuid: 'proxmox-901', name: 'web', vmid: '901' };
  const next = sample(1, [[container, 50]]);
  const [guest] = next.guests;
  guest?.row.clear();
  set(guest!.row, { guest_type: 'lxc', cpu_total: 50, net_rx_mbit: 1, net_tx_mbit: 1 });
  const [profile] = profiles(printing(1).print(next));
  assert.deepEqual([profile?.name, profile?.guest_type, profile?.vmid], ['proxmox-901', 'lxc', '901']);
  assert.equal(inputs(profile), 1);
});

test('two VMs with one UUID: two profiles that tell vmid or pid, and both outlast a restart', () => {
  const pids = { a: '11', b: '22' };
  const twins = (key: keyof typeof pids): GuestIdentity => vm('same', key);
  const pair = (seq: number): Sample => {
    const next = sample(seq, [
      [twins('a'), 50],
      [twins('b'), 50],
    ]);
    for (const each of next.guests) set(each.row, { pid: pids[each.guest.key as keyof typeof pids] });
    return { ...next, guests: next.guests.map((each) => ({ ...each, twin: true })) };
  };
  const first = printing(1);
  const found = profiles(first.print(pair(1)));
  assert.deepEqual(
    found.map(({ name, vmid, pid }) => [name, vmid, pid]),
    [
      ['same', undefined, '11'],
      ['same', undefined, '22'],
    ],
  );
  const second = printing(1, JSON.parse(JSON.stringify(first.saved())) as SavedVm[]);
  assert.deepEqual(profiles(second.print(pair(1))).map(inputs), [2, 2]);

  const proxmox = printing(1);
  const lines = profiles(
    proxmox.print(
      sample(1, [
        [{ ...vm('same', '1'), vmid: '100' }, 50],
        [{ ...vm('same', '2'), vmid: '101' }, 50],
      ]),
    ),
  );
  assert.deepEqual(
    lines.map(({ name, vmid, pid }) => [name, vmid, pid]),
    [
      ['same', '100', undefined],
      ['same', '101', undefined],
    ],
  );
});
