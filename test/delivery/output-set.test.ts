import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { OutputSet } from '../../src/delivery/output-set.ts';
import type { FileSettings, TcpSettings } from '../../src/delivery/settings.ts';
import type { Printer } from '../../src/printers/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { directory, distinct, freePort, logs, range, Receiver, record, seqs, until } from './helpers.ts';
import { segmentFiles } from './spool/helpers.ts';

const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
const queue = { maxBytes: 1 << 20, whenFull: 'drop_oldest' } as const;
const common = { printer: 'json', print, queue } as const;

// An output hands a sample to its printer and looks at nothing but its seq; so does this printer.
const printer: Printer = { print: ({ seq }) => [record(seq)] };
function write(set: OutputSet, from: number, to: number): void {
  for (const seq of range(from, to)) set.write({ seq } as Sample);
}

function outputs(t: TestContext): { set: OutputSet; at: ReturnType<typeof logs>['at'] } {
  const { log, at } = logs();
  const set = new OutputSet(
    log,
    () => printer,
    () => assert.fail('closed'),
  );
  t.after(() => set.close(0));
  return { set, at };
}

function tcp(port: number, change: Partial<TcpSettings> = {}): TcpSettings {
  return { ...common, name: 'logs', type: 'tcp', host: '127.0.0.1', port, timeout: 10, ...change };
}

function file(path: string, change: Partial<FileSettings> = {}): FileSettings {
  return { ...common, name: 'file', type: 'file', path, ...change };
}

test('an output whose settings are the same goes on: its connection stays', async (t) => {
  const receiver = new Receiver(t);
  const port = await receiver.start();
  const path = join(directory(t), 'samples');
  const { set } = outputs(t);
  await set.replace([tcp(port)]);
  write(set, 1, 3);
  const [first] = set.list;
  await set.replace([tcp(port), file(path)]);
  write(set, 4, 5);
  assert.equal(set.list[0], first);
  assert.deepEqual(
    set.list.map(({ name }) => name),
    ['logs', 'file'],
  );
  await set.close(5000);
  assert.deepEqual(seqs(receiver.received(0)), range(1, 5));
  assert.deepEqual(seqs(readFileSync(path)), [4, 5]);
});

test('what waits for a wrong address goes to the right one', async (t) => {
  const receiver = new Receiver(t);
  const port = await receiver.start();
  const { set, at } = outputs(t);
  await set.replace([tcp(await freePort())]);
  write(set, 1, 20);
  await set.replace([tcp(port)]);
  write(set, 21, 25);
  await until(() => set.list[0]?.status.sent === 25, 'all is sent');
  await set.close(5000);
  assert.deepEqual(distinct(seqs(receiver.received(0))), range(1, 25));
  assert.ok(!at('warn').some((line) => line.includes('dropped')), at('warn').join('\n'));
});

test('a spool has a new user at once, and what the old one had queued is in it', async (t) => {
  const port = await freePort();
  const receiver = new Receiver(t);
  const spool = { directory: join(directory(t), 'logs'), maxBytes: 64 << 20, sync: 60, catchup: 0.5 };
  const { set } = outputs(t);
  await set.replace([tcp(port, { spool })]);
  write(set, 1, 20);
  await set.replace([tcp(port, { spool, timeout: 11 })]);
  const { queued, spooled } = set.list[0]!.status;
  assert.equal(queued + spooled, 20, 'nothing is out of the books meanwhile');
  write(set, 21, 25);
  await receiver.start(port);
  await until(() => set.list[0]?.status.sent === 25, 'all is sent');
  await set.close(5000);
  assert.deepEqual(
    seqs(receiver.received(0)).sort((a, b) => a - b),
    range(1, 25),
  );
  assert.equal(segmentFiles(spool.directory).length, 0);
});

test('records of another format are not mixed in: they are delivered before, or counted', async (t) => {
  const port = await freePort();
  const { set, at } = outputs(t);
  await set.replace([tcp(port)]);
  write(set, 1, 20);
  await set.replace([tcp(port, { printer: 'influx' })]);
  await until(() => at('warn').some((line) => line.includes('20 stopped')), 'they are counted');
  assert.equal(set.list[0]?.status.queued, 0);
});

test('one that is gone delivers what it has', async (t) => {
  const path = join(directory(t), 'samples');
  const { set } = outputs(t);
  await set.replace([file(path)]);
  write(set, 1, 1000);
  await set.replace([]);
  assert.deepEqual(set.list, []);
  await set.close(5000);
  assert.deepEqual(seqs(readFileSync(path)), range(1, 1000));
});

test('where one cannot be made all go on as before, also one that had to leave its spool', async (t) => {
  const place = directory(t);
  const port = await freePort();
  const receiver = new Receiver(t);
  const path = join(place, 'samples');
  const spool = { directory: join(place, 'logs'), maxBytes: 64 << 20, sync: 60, catchup: 0.5 };
  const { set } = outputs(t);
  await set.replace([tcp(port, { spool }), file(path)]);
  write(set, 1, 5);
  const changed = [tcp(port, { spool, timeout: 11 }), file(join(place, 'missing', 'samples'))];
  await assert.rejects(set.replace(changed), /cannot open .*missing.*samples for writing/);
  assert.deepEqual(
    set.list.map(({ name }) => name),
    ['logs', 'file'],
  );
  write(set, 6, 10);
  await receiver.start(port);
  await until(() => set.list[0]?.status.sent === 10, 'all is sent');
  await set.close(5000);
  assert.deepEqual(
    seqs(receiver.received(0)).sort((a, b) => a - b),
    range(1, 10),
  );
  assert.deepEqual(seqs(readFileSync(path)), range(1, 10));
});
