import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands } from '../../src/tui/commands.ts';
import { columnsOf } from '../../src/tui/table/view-columns.ts';
import { defaultPreferences } from '../../src/tui/preferences.ts';
import type { GuestChoice, ViewPreferences } from '../../src/tui/preferences.ts';
import { textOrBlank } from '../../src/tui/values/row-values.ts';
import { tableEntries, numberIn } from '../../src/tui/table/table.ts';
import type { TableEntry } from '../../src/tui/table/table.ts';
import { viewOf, views } from '../../src/tui/table/views.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { row } from '../formats/sample.ts';
import { disk, sample, vm } from './samples.ts';

interface Query extends Partial<ViewPreferences> {
  readonly filter?: string;
  readonly guests?: GuestChoice;
  readonly expanded?: readonly string[];
}

function entries(
  of: Sample,
  key: string,
  { filter = '', guests = 'all', expanded = [], ...preferences }: Query = {},
): readonly TableEntry[] {
  const view = viewOf(key);
  assert.ok(view);
  const all = { ...defaultPreferences().views[view.key], ...preferences };
  return tableEntries(
    of,
    { view, preferences: all, filter, guests, expanded: new Set(expanded) },
    columnsOf(view),
  );
}

function names(list: readonly TableEntry[]): string[] {
  return list.map(
    ({ row: { scope }, row: own, vm: owner, label }) =>
      label ??
      (scope === 'vm'
        ? textOrBlank(own, 'name')
        : `${owner === undefined ? '' : textOrBlank(owner.row, 'name')} ${textOrBlank(own, 'device')}`.trim()),
  );
}

const three = sample([
  vm('web', { cpu_used: 0.09, vmid: '101', tags: 'prod;eu' }),
  vm('db', { cpu_used: 0.11, vmid: '20' }),
  vm('idle', { vmid: '3' }),
  vm('cache', { cpu_used: 1.5, vmid: '4' }),
]);

test('no key means two things', () => {
  const keys = [...commands.flatMap((each) => each.keys), ...views.map(({ key }) => key)];
  const twice = (all: readonly string[]): string[] => all.filter((key, index) => all.indexOf(key) !== index);
  assert.deepEqual(twice(keys), []);
  for (const { name, sortKeys } of views)
    assert.deepEqual(twice([...keys, ...Object.keys(sortKeys)]), [], name);
});

test('numbers sort by number from the largest down, the unknown last either way', () => {
  assert.deepEqual(names(entries(three, 'c')), ['cache', 'db', 'web', 'idle']);
  assert.deepEqual(names(entries(three, 'c', { reverse: true })), ['web', 'db', 'cache', 'idle']);
});

test('names sort from A up, ids by their number', () => {
  assert.deepEqual(names(entries(three, 'c', { sort: 'name' })), ['cache', 'db', 'idle', 'web']);
  assert.deepEqual(names(entries(three, 'c', { sort: 'vmid' })), ['idle', 'cache', 'db', 'web']);
  assert.deepEqual(names(entries(three, 'c', { sort: 'vmid', reverse: true })), [
    'web',
    'db',
    'cache',
    'idle',
  ]);
});

test('the filter looks into names, ids, UUIDs and tags, in any case', () => {
  assert.deepEqual(names(entries(three, 'c', { filter: 'WEB' })), ['web']);
  assert.deepEqual(names(entries(three, 'c', { filter: '20' })), ['db']);
  assert.deepEqual(names(entries(three, 'c', { filter: 'uuid-i' })), ['idle']);
  assert.deepEqual(names(entries(three, 'c', { filter: 'prod' })), ['web']);
  assert.deepEqual(names(entries(three, 'c', { filter: 'none' })), []);
});

test('VMs, containers, or both; the host views show what they always show', () => {
  const container = vm('ct');
  const both = sample([vm('vm'), { ...container, guest: { ...container.guest, type: 'lxc' } }], {
    host: { row: row('host', {}), disks: [row('host_disk', { device: 'sda', disk_type: 'physical' })] },
  });
  const shown = (view: string, guests: GuestChoice): string[] =>
    names(entries(both, view, { guests, sort: 'name' }));
  assert.deepEqual(shown('a', 'all'), ['ct', 'vm']);
  assert.deepEqual(shown('a', 'vms'), ['vm']);
  assert.deepEqual(shown('a', 'containers'), ['ct']);
  assert.deepEqual(shown('s', 'containers'), ['sda']);
});

test('an expanded VM has its vCPUs, other threads, disks and NICs below it, in whatever order VMs are', () => {
  const big = vm(
    'big',
    { cpu_total: 50, cpu_other_total: 7, cpu_other_steal: 3 },
    {
      vcpus: [row('vm_vcpu', { device: '0', cpu_total: 99 }), row('vm_vcpu', { device: '1', cpu_total: 1 })],
      disks: [disk('scsi0', { disk_reads: 5 })],
      nics: [row('vm_nic', { device: 'tap1i0' })],
    },
  );
  const threads = [row('vm_vcpu', { device: 'IO iothread0 7', cpu_total: 6 })];
  const of = sample([vm('small', { cpu_total: 60 }), { ...big, threads }]);
  const list = entries(of, 'c', { expanded: ['big'] });
  assert.deepEqual(names(list), [
    ...['small', 'big', 'vcpu 0', 'vcpu 1', 'other threads', 'IO iothread0 7', 'scsi0', 'tap1i0'],
  ]);
  const column = columnsOf(viewOf('c')!).find(({ id }) => id === 'cpu_total')!;
  const shown = list.map((entry) => numberIn(entry, column));
  assert.deepEqual(shown, [60, 50, 99, 1, 7, 6, NaN, NaN]);
});

test('a row for each disk, with the name of its VM', () => {
  const of = sample([
    vm('a', {}, { disks: [disk('scsi0', { disk_lat_avg: 1 })] }),
    vm('b', {}, { disks: [disk('scsi0', { disk_lat_avg: 9 }), disk('scsi1')] }),
  ]);
  assert.deepEqual(names(entries(of, 'd')), ['b scsi0', 'a scsi0', 'b scsi1']);
  assert.deepEqual(names(entries(of, 'd', { filter: 'scsi1' })), ['b scsi1']);
});

test('the host views list the disks of their kinds', () => {
  const types = [
    'physical',
    'partition',
    'lvm',
    'mpath',
    'crypt',
    'md',
    'zvol',
    'rbd',
    'drbd',
    'bcache',
    'dmraid',
    'dm',
  ];
  const disks = types.map((type) => row('host_disk', { device: type, disk_type: type }));
  const of = sample([], { host: { disks, nics: [row('host_nic', { device: 'eth0' })] } });
  assert.deepEqual(names(entries(of, 's')).sort(), [
    'bcache',
    'crypt',
    'dm',
    'dmraid',
    'drbd',
    'md',
    'physical',
    'rbd',
    'zvol',
  ]);
  assert.deepEqual(names(entries(of, 'l')), ['lvm']);
  assert.deepEqual(names(entries(of, 'x')), ['mpath']);
  assert.deepEqual(names(entries(of, 'p')), ['eth0']);
});

test('every view names metrics that it has, and no heading twice among the fields', () => {
  for (const view of views) {
    const ids = columnsOf(view).map(({ id }) => id);
    const preferences = defaultPreferences().views[view.key];
    for (const id of [
      ...preferences.columns,
      view.sort,
      ...Object.values(view.sortKeys),
      ...Object.keys(view.headings ?? {}),
    ])
      assert.ok(ids.includes(id), `view ${view.key}: ${id}`);
    const headings = columnsOf(view).map(({ heading }) => heading);
    assert.deepEqual(
      headings.filter((heading, index) => headings.indexOf(heading) !== index),
      [],
      view.key,
    );
  }
});
