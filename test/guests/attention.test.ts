import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attention } from '../../src/guests/attention.ts';
import { PollSchedule } from '../../src/guests/poll-schedule.ts';

interface Vm {
  readonly key: string;
  readonly schedule: PollSchedule;
}

/** VMs that were all visited at 0, and are due by themselves when no test gets to. */
function vms(count: number, duration = 0.002): readonly Vm[] {
  return Array.from({ length: count }, (_, index) => {
    const schedule = new PollSchedule(1000, 1);
    schedule.visited(0, duration);
    return { key: `${index}`, schedule };
  });
}

/** How often each is visited in so many seconds, a cycle each second; some visits take `duration` seconds. */
function visits(
  attention: Attention,
  all: readonly Vm[],
  seconds: number,
  duration = 0.002,
): readonly number[] {
  const counts = all.map(() => 0);
  for (let time = 1; time <= seconds; time++) {
    for (const vm of attention.choose(all, time)) {
      counts[all.indexOf(vm)]!++;
      vm.schedule.visited(time, duration);
    }
  }
  return counts;
}

test('those that are watched are asked every 2 s, the others in their own time', () => {
  const attention = new Attention(16);
  attention.watch(new Set(['0', '2', 'gone']));
  assert.deepEqual(visits(attention, vms(4), 41), [20, 0, 20, 0]);
  attention.watch(new Set());
  assert.deepEqual(visits(attention, vms(4), 41), [0, 0, 0, 0]);
});

test('two percent of the host are shared fairly', () => {
  const attention = new Attention(2);
  const all = vms(100);
  attention.watch(new Set(all.map(({ key }) => key)));
  const counts = visits(attention, all, 101);
  const sum = counts.reduce((total, count) => total + count, 0);
  assert.ok(sum > 1900 && sum <= 2000, `${sum} visits in 100 s of 2 CPUs, at 2 ms each`);
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
});

test('what was not used is not saved up', () => {
  const attention = new Attention(1);
  const all = vms(500);
  attention.choose(all, 1);
  attention.choose(all, 1000);
  attention.watch(new Set(all.map(({ key }) => key)));
  assert.equal(attention.choose(all, 1001).length, 20);
});

test('a monitor whose visits take long is left alone for ten times as long', () => {
  const attention = new Attention(16);
  attention.watch(new Set(['0']));
  assert.deepEqual(visits(attention, vms(1, 0.5), 100, 0.5), [20]);
});
