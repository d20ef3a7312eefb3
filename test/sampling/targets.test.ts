import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slots } from '../../src/catalogue/catalogue.ts';
import { Targets } from '../../src/sampling/targets.ts';
import { known, testVm } from '../collectors/support.ts';

test('rows belong to a VM as long as it runs, and are forgotten with it', () => {
  const targets = new Targets();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => testVm({ name })) as [
    ReturnType<typeof testVm>,
    ReturnType<typeof testVm>,
    ReturnType<typeof testVm>,
  ];
  targets.follow([a, b], 0);
  const [first, second] = targets.list;
  targets.follow([c, b], 1);
  assert.deepEqual(
    targets.list.map(({ guest }) => guest.name),
    ['c', 'b'],
  );
  assert.equal(targets.list[1], second);
  targets.follow([a], 2);
  assert.notEqual(targets.list[0], first, 'a was gone for a cycle');
  targets.follow([], 3);
  assert.deepEqual(targets.list, []);
});

test('a cycle begins without the values and devices of the one before', () => {
  const targets = new Targets();
  const vm = testVm();
  targets.follow([vm], 0);
  const { row, devices } = targets.list[0]!;
  row.values[slots('cpu', 'vm').cpu_total] = 50;
  for (const rows of [devices.vcpus, devices.disks, devices.nics]) rows.add('0');
  targets.follow([vm], 1);
  assert.equal(targets.list[0]?.row, row);
  assert.deepEqual(known(row), { guest_type: 'qemu', UUID: 'u', name: 'n' });
  const { vcpus, disks, nics } = targets.rows[0]!;
  assert.deepEqual([vcpus, disks, nics], [[], [], []]);
});

test('when the process of a guest started is known in the time of day; only that of a container is its uptime', () => {
  const time = performance.now() / 1000;
  const targets = new Targets();
  const guests = [
    testVm({ name: 'vm', since: time - 500 }),
    testVm({ name: 'container', type: 'lxc', since: time - 500 }),
    testVm({ name: 'elsewhere' }),
  ];
  const before = Date.now();
  targets.follow(guests, time);
  const after = Date.now();
  const [vm, container, elsewhere] = targets.rows.map(({ began }) => began?.process);
  for (const started of [vm, container])
    assert.ok(started !== undefined && started >= before - 500_000 && started <= after - 500_000);
  assert.equal(elsewhere, undefined);
  assert.deepEqual(
    targets.list.map(({ row }) => known(row)['uptime']),
    [undefined, 500, undefined],
  );
});

test('who a VM is, and how its monitor fares', () => {
  const targets = new Targets();
  const vm = testVm({ uuid: 'id', name: '007', vmid: '100', tags: 'a;b', lock: 'backup' });
  const row = (time: number): Record<string, unknown> => {
    targets.follow([vm], time);
    return known(targets.list[0]!.row);
  };
  const identity = {
    ...{ guest_type: 'qemu', UUID: 'id', name: '007' },
    ...{ vmid: '100', tags: 'a;b', lock: 'backup' },
  };
  assert.deepEqual(row(10), identity);
  vm.state = 'running';
  vm.detail = { time: 8.5, disks: [] };
  assert.deepEqual(row(10), { ...identity, state: 'running', detail_age: 1.5 });
  vm.state = undefined;
  vm.detail = undefined;
  vm.silence = { reason: 'timeout', since: 8.5 };
  assert.deepEqual(row(12), { ...identity, qmp: 'timeout', qmp_age: 3.5 });
  vm.silence = undefined;
  vm.name = 'renamed';
  assert.deepEqual(row(13), { ...identity, name: 'renamed' });
});

test('two VMs with one UUID are twins, and stay so when one ends; a vmid tells them apart', () => {
  const targets = new Targets();
  const twins = (...vms: ReturnType<typeof testVm>[]): unknown => {
    targets.follow(vms, 0);
    return targets.rows.map(({ twin }) => twin);
  };
  const [first, second, third] = ['1:1', '2:2', '3:3'].map((key) => testVm({ key })) as [
    ReturnType<typeof testVm>,
    ReturnType<typeof testVm>,
    ReturnType<typeof testVm>,
  ];
  assert.deepEqual(twins(first), [false]);
  assert.deepEqual(twins(first, second), [true, true]);
  assert.deepEqual(twins(second), [true], 'its values do not go on in the series of the first');
  assert.deepEqual(twins(second, third), [true, true]);
  assert.deepEqual(twins(testVm()), [false], 'all of them ended');
  assert.deepEqual(twins(testVm({ vmid: '100' }), testVm({ vmid: '101' }), testVm()), [false, false, false]);
});
