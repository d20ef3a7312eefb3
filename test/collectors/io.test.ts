import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IoCollector, IoReading, deriveIo } from '../../src/collectors/io/io.ts';
import { pidIoCounters } from '../../src/kernel/pid/proc-pid-io.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { Row } from '../../src/catalogue/row.ts';
import { TestHost, Tree, known, setCounters, stoppedClock, testTarget, sourcesOf } from './support.ts';

const MIB = 2 ** 20;

test('rates of what the process read and wrote', () => {
  const at = (time: number, values: Record<string, number>): IoReading => {
    const reading = new IoReading();
    reading.time = time;
    setCounters(reading.io.counters, pidIoCounters, values);
    return reading;
  };
  const row = new Row('vm');
  const grown = { rchar: 200, wchar: 400, syscr: 20, syscw: 40, writeBytes: MIB, cancelledWriteBytes: 1 };
  const before = {
    rchar: 0,
    wchar: 0,
    syscr: 0,
    syscw: 0,
    readBytes: 5,
    writeBytes: 0,
    cancelledWriteBytes: 2,
  };
  deriveIo(at(10, before), at(14, { ...grown, readBytes: 5 + 6 * MIB }), row);
  assert.deepEqual(known(row), {
    io_read_mib: 1.5,
    io_write_mib: 0.25,
    io_read_ops: 5,
    io_write_ops: 10,
    io_read_bytes: 1.5 * MIB,
    io_write_bytes: MIB / 4,
    io_rchar: 50,
    io_wchar: 100,
  });
});

test('a VM whose file cannot be read, or that is on another host, has no values', (t) => {
  const tree = new Tree(t);
  const at = stoppedClock(t);
  const io = (bytes: number): string =>
    `rchar: ${bytes}\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n`;
  tree.process(100, ['kvm']);
  tree.process(200, ['kvm']);
  tree.write('proc/100/io', io(0));
  const processes = [100, 200].map((pid) => Process.open(tree.paths, pid)!);
  const vms = processes.map((process) => testTarget({ sources: sourcesOf(process) }));
  vms.push(testTarget());
  const collector = new IoCollector(tree.paths);
  const cycle = (): Record<string, unknown>[] => {
    collector.collect(
      new TestHost(),
      vms.map(({ begin }) => begin()),
    );
    return vms.map(({ target }) => {
      const { guest_type: _, UUID: __, name: ___, ...values } = known(target.row);
      return values;
    });
  };
  assert.deepEqual(cycle(), [{}, {}, {}]);
  at(2);
  tree.write('proc/100/io', io(3000));
  const [first, ...others] = cycle();
  assert.equal(first?.['io_rchar'], 1500);
  assert.deepEqual(others, [{}, {}]);
  collector.close();
  for (const process of processes) process.close();
});
