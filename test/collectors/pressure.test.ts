import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PressureReading, PressureCollector, derivePressure } from '../../src/collectors/pressure.ts';
import { toldSources } from '../../src/guests/sources.ts';
import { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import { pressureCounters } from '../../src/kernel/proc/proc-pressure.ts';
import { Row } from '../../src/catalogue/row.ts';
import { TestHost, Tree, known, setCounters, stoppedClock, testTarget } from './support.ts';

test('stall time per second', () => {
  const at = (time: number, values: Record<string, number>): PressureReading => {
    const reading = new PressureReading();
    reading.time = time;
    setCounters(reading.pressure.counters, pressureCounters, values);
    return reading;
  };
  const row = new Row('host');
  derivePressure(
    at(10, { someTotal: 1000, fullTotal: 500 }),
    at(12, { someTotal: 501_000, fullTotal: 499 }),
    'io',
    row,
  );
  assert.deepEqual(known(row), { psi_some_io_total: 250_000 }, 'a total that went backwards is omitted');
  row.clear();
  derivePressure(at(10, { someTotal: 0 }), at(12, { someTotal: 2 }), 'mem', row);
  assert.deepEqual(known(row), { psi_some_mem_total: 1 }, 'a kernel without the line full');
});

test('host averages at once, totals from the second cycle on; a VM has the averages of its cgroup', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const lines = (some: number, full: number, total: number): string =>
    `some avg10=${some} avg60=2.50 avg300=0.00 total=${total}\nfull avg10=${full} avg60=1.00 avg300=0.00 total=${total}\n`;
  tree.write('proc/pressure/memory', lines(5, 4, 100));
  for (const [resource, some] of [
    ['cpu', 11],
    ['io', 12],
    ['memory', 13],
  ] as const) {
    tree.write(`sys/fs/cgroup/a/${resource}.pressure`, lines(some, some - 10, 0));
  }
  const host = new TestHost();
  const cgroup = new Cgroup(tree.paths, '/a');
  const [own, shared] = [
    testTarget({ sources: { ...toldSources({ kind: 'host' }), pressure: cgroup } }),
    testTarget(),
  ];
  const cycle = (collector: PressureCollector): void => {
    collector.collect(host.begin(), [own.begin(), shared.begin()]);
  };
  const psi = (row: Row): Record<string, unknown> =>
    Object.fromEntries(Object.entries(known(row)).filter(([id]) => id.startsWith('psi')));

  const collector = new PressureCollector(tree.paths);
  cycle(collector);
  const averages = {
    psi_some_mem_avg10: 5,
    psi_some_mem_avg60: 2.5,
    psi_some_mem_avg300: 0,
    psi_full_mem_avg10: 4,
    psi_full_mem_avg60: 1,
    psi_full_mem_avg300: 0,
  };
  assert.deepEqual(known(host.row), averages, 'the kernel has no other pressure file');
  assert.deepEqual(psi(own.target.row), {
    psi_some_cpu_avg10: 11,
    psi_full_cpu_avg10: 1,
    psi_some_io_avg10: 12,
    psi_full_io_avg10: 2,
    psi_some_mem_avg10: 13,
    psi_full_mem_avg10: 3,
  });
  assert.deepEqual(psi(shared.target.row), {});

  at(4);
  tree.write('proc/pressure/memory', lines(5, 4, 500));
  tree.write('sys/fs/cgroup/a/cpu.pressure', lines(77, 66, 0));
  cycle(collector);
  assert.deepEqual(known(host.row), { ...averages, psi_some_mem_total: 100, psi_full_mem_total: 100 });
  assert.equal(psi(own.target.row)['psi_some_cpu_avg10'], 77);
  collector.close();

  cgroup.close();
});
