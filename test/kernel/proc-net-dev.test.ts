import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Counters, growth } from '../../src/kernel/base/counters.ts';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { NetDev, netDevCounters, parseNetDev } from '../../src/kernel/proc/proc-net-dev.ts';
import { assertSafeCuts, cursorOf, fixture, kernels, read, table, valuesOf } from './support.ts';

const HEADING = read(fixture('linux-6.1').proc('net/dev')).toString().split('\n').slice(0, 2).join('\n');

function parse(cursor: Cursor, table = new NetDev()): NetDev {
  parseNetDev(cursor, table, '/proc/net/dev');
  return table;
}

for (const kernel of kernels) {
  test(`reads every device of ${kernel}`, () => {
    const content = read(fixture(kernel).proc('net/dev'));
    const devices = parse(cursorOf(content)).devices;
    const lines = table(content).slice(2);
    assert.deepEqual(
      devices.map(({ name, counters }) => [name, ...valuesOf(counters)]),
      lines.map(([name, ...columns]) => [name, ...columns.map(Number)]),
    );
    assertSafeCuts(
      content,
      (cursor) => new Map(parse(cursor).devices.map((device) => [device.name, device])),
    );
  });
}

test('the columns have the names that sysfs gives them', () => {
  // lo counts on while we read: what the kernel says before and after encloses what we read.
  const sysfs = () => Number(read('/sys/class/net/lo/statistics/tx_packets'));
  const before = sysfs();
  const lo = parse(cursorOf(read('/proc/self/net/dev'))).get('lo')!;
  const value = lo.counters.value(netDevCounters.txPackets);
  assert.ok(before <= value && value <= sysfs());
  const listed = execFileSync('awk', ['NR > 2 { n++ } END { print n }', '/proc/self/net/dev'], {
    encoding: 'utf8',
  });
  assert.equal(parse(cursorOf(read('/proc/self/net/dev'))).devices.length, Number(listed));
});

test('reads the odd name that a real kernel took', () => {
  assert.ok(parse(cursorOf(read(fixture('linux-6.1').proc('net/dev')))).get('odd"na$me\\'));
});

test('a name may touch its first number', () => {
  const numbers = [123, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
  const eth0 = parse(cursorOf(`${HEADING}\n  eth0:${numbers.join('  ')}\n`)).get('eth0')!;
  assert.deepEqual(valuesOf(eth0.counters), numbers);
});

test('missing columns are unknown, more columns and odd lines are skipped', () => {
  const devices = parse(
    cursorOf(`${HEADING}\n a: 1 2\nno colon here\n:5 6\n b: ${'7 '.repeat(20)}\n`),
  ).devices;
  assert.deepEqual(
    devices.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.deepEqual(valuesOf(devices[0]!.counters).slice(0, 3), [1, 2, NaN]);
  assert.deepEqual(valuesOf(devices[1]!.counters), new Array(16).fill(7));
});

test('20-digit counters grow exactly', () => {
  const netDev = parse(cursorOf(`${HEADING}\ntap100i0:18446744073709551000 0\n`));
  const { counters } = netDev.get('tap100i0')!;
  const before = new Counters(16);
  before.copy(counters);
  parse(cursorOf(`${HEADING}\ntap100i0:18446744073709551115 0\n`), netDev);
  assert.equal(growth(before, counters, netDevCounters.rxBytes), 115);
});

test('1000 interfaces make no strings and keep their devices', () => {
  const line = (i: number) =>
    `tap${100 + i}i0: ${9e12 + i} 7085 0 0 0 0 0 0 ${1.7e12 + i} 5535 0 0 0 0 0 0\n`;
  const cursor = cursorOf(`${HEADING}\n${Array.from({ length: 1000 }, (_, i) => line(i)).join('')}`);
  const again = () => cursor.reset(cursor.bytes, cursor.end);
  const netDev = parse(cursor);
  const devices = [...netDev.devices];

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const perInterface = (): number => {
    collect();
    const before = process.memoryUsage().heapUsed;
    parse(again(), netDev);
    return (process.memoryUsage().heapUsed - before) / 1000;
  };
  // Measured: 32, two numbers too large for small integers. A string and a map entry would take more than 60, each time. Until the
  // code is compiled, which takes as long as the machine is busy, numbers on their way take room too.
  let least = Infinity;
  for (let round = 0; round < 1000 && least >= 48; round++) {
    const bytes = perInterface();
    if (bytes > 0) least = Math.min(least, bytes);
  }
  assert.ok(least < 48, `${least} bytes`);
  assert.deepEqual(netDev.devices, devices);
});

test('no interface but the heading is no error', () => {
  assert.deepEqual(parse(cursorOf(`${HEADING}\n`)).devices, []);
});

test('refuses text that is not /proc/net/dev', () => {
  for (const content of ['', '\n', 'Inter-|\n', ' eth0: 1 2 3\n', HEADING]) {
    assert.throws(() => parse(cursorOf(content)), KernelFormatError);
  }
});
