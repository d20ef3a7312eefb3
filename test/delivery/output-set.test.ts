import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { OutputSet } from '../../src/delivery/output-set.ts';
import type { FileSettings, TcpSettings } from '../../src/delivery/settings.ts';
import type { Printer } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { directory, distinct, freePort, logs, range, Receiver, record, seqs, until } from './helpers.ts';
import { segmentFiles, smallDisk } from './spool/helpers.ts';

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

test('a removed output delivers what it has', async (t) => {
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

/** A receiver that takes connections and never reads. */
async function stalled(t: TestContext): Promise<number> {
  const receiver = new Receiver(t, '127.0.0.1', (socket) => socket.pause());
  return receiver.start();
}

function booked(set: OutputSet, name = 'logs'): number {
  const { queued, spooled, unconfirmed, sent, dropped } = set.list.find((one) => one.name === name)!.status;
  return queued + spooled + unconfirmed + sent + dropped;
}

for (const pause of [false, true]) {
  test(`reloads in a row, ${pause ? 'some time apart' : 'one at once after the other'}: what an output gives back goes to the one that is there`, async (t) => {
    const receiver = new Receiver(t);
    const port = await receiver.start();
    const { set } = outputs(t);
    const targets = [await stalled(t), await freePort(), await stalled(t), port];
    let seq = 0;
    for (const target of targets) {
      await set.replace([tcp(target)]);
      write(set, seq + 1, seq + 40);
      seq += 40;
      assert.equal(booked(set), seq);
      if (pause)
        await until(
          () => set.list[0]!.status.queued === 0 || set.list[0]!.status.state === 'down',
          'settled',
        );
    }
    await until(() => {
      assert.equal(booked(set), seq);
      return distinct(receiver.seqs()).length === seq;
    }, 'all have arrived');
    await set.close(5000);
    const { dropped, queued, unconfirmed } = { ...set.list[0]!.status };
    assert.deepEqual([dropped, queued, unconfirmed], [0, 0, 0]);
  });
}

test('an end right after a reload: what was handed to a peer that stalls is delivered or counted', async (t) => {
  const receiver = new Receiver(t);
  const { set, at } = outputs(t);
  await set.replace([tcp(await stalled(t))]);
  write(set, 1, 50);
  await until(() => set.list[0]!.status.unconfirmed === 50, 'handed over');
  await set.replace([tcp(await receiver.start())]);
  write(set, 51, 60);
  await set.close(5000);
  assert.deepEqual(distinct(receiver.seqs()), range(1, 60));
  assert.ok(!at('warn').some((line) => line.includes('dropped')), at('warn').join('\n'));
});

test('a record that comes after the end is counted', async (t) => {
  const { set } = outputs(t);
  await set.replace([tcp(await freePort())]);
  await set.close(0);
  write(set, 1, 3);
  assert.equal(set.list[0]!.status.droppedBy.stopped, 3);
});

test('a peer that stalls at the end, and no spool: all it was given is counted as unconfirmed', async (t) => {
  const { set, at } = outputs(t);
  await set.replace([tcp(await stalled(t))]);
  write(set, 1, 42);
  await until(() => set.list[0]!.status.unconfirmed === 42, 'handed over');
  await set.close(100);
  assert.deepEqual(at('warn'), ['logs: 42 records were dropped since the start: 42 unconfirmed']);
});

test('a section that is gone and back before its peer has closed: the reload applies', async (t) => {
  const place = directory(t);
  const spool = { directory: join(place, 'logs'), maxBytes: 64 << 20, sync: 0.05, catchup: 0.5 };
  const receiver = new Receiver(t);
  const slow = await stalled(t);
  const { set, at } = outputs(t);
  await set.replace([tcp(slow, { spool })]);
  write(set, 1, 30);
  await until(() => set.list[0]!.status.unconfirmed === 30, 'handed over');
  await set.replace([]);
  await set.replace([tcp(slow, { spool })]);
  await set.replace([]);
  await set.replace([tcp(await receiver.start(), { spool })]);
  write(set, 31, 40);
  await until(() => distinct(receiver.seqs()).length === 40, 'all have arrived');
  assert.deepEqual(at('error'), []);
  await set.close(5000);
  assert.equal(set.list[0]!.status.dropped, 0);
});

test('a spool that is switched off is delivered all the same; nothing new goes to it', async (t) => {
  const port = await freePort();
  const receiver = new Receiver(t);
  const spool = { directory: join(directory(t), 'logs'), maxBytes: 64 << 20, sync: 0.05, catchup: 0.5 };
  const { set } = outputs(t);
  await set.replace([tcp(port, { spool })]);
  write(set, 1, 20);
  await until(() => set.list[0]!.status.spooled === 20, 'spooled');
  await set.replace([tcp(port, { leftSpool: spool.directory })]);
  assert.deepEqual([set.list[0]!.status.spooled, booked(set)], [20, 20]);
  write(set, 21, 30);
  await until(() => set.list[0]!.status.spooled === 20 && set.list[0]!.status.queued === 10, 'taken over');
  await receiver.start(port);
  await until(() => distinct(receiver.seqs()).length === 30, 'all have arrived');
  await set.close(5000);
  assert.equal(set.list[0]!.status.dropped, 0);
  assert.equal(segmentFiles(spool.directory).length, 0);
});

test('another printer, the same spool: records of the old format stay there until that is back', async (t) => {
  const port = await freePort();
  const receiver = new Receiver(t);
  const spool = { directory: join(directory(t), 'logs'), maxBytes: 64 << 20, sync: 0.05, catchup: 0.5 };
  const { set, at } = outputs(t);
  await set.replace([tcp(port, { spool })]);
  write(set, 1, 20);
  await set.replace([tcp(port, { spool, printer: 'influx' })]);
  write(set, 21, 30);
  await receiver.start(port);
  await until(() => {
    assert.equal(booked(set), 30, 'no record is out of the books meanwhile');
    return distinct(receiver.seqs()).length === 10;
  }, 'what is of the new format has arrived');
  assert.deepEqual(distinct(receiver.seqs()), range(21, 30));
  await until(() => {
    assert.equal(booked(set), 30, 'no record is out of the books meanwhile');
    return at('warn').some((line) => /20 records of output logs in format json/.test(line));
  }, 'told');
  assert.equal(booked(set), 30);
  await set.replace([tcp(port, { spool })]);
  await until(() => distinct(receiver.seqs()).length === 30, 'and the rest');
  await set.close(5000);
  assert.equal(set.list[0]!.status.dropped, 0);
});

test('a reload while the disk of the spool is full: records stay in memory, for the output that is there', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const receiver = new Receiver(t);
  const port = await freePort();
  const spool = { directory: join(disk, 'logs'), maxBytes: 64 << 20, sync: 0.05, catchup: 0.5 };
  const { set, at } = outputs(t);
  await set.replace([tcp(port, { spool })]);
  write(set, 1, 5);
  await until(() => set.list[0]!.status.spooled === 5, 'spooled');
  assert.throws(() => {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(2 << 20));
  });
  write(set, 6, 40);
  await until(() => at('warn').some((line) => line.includes('ENOSPC')), 'the disk is full');
  await set.replace([tcp(port, { spool, timeout: 11 })]);
  await set.replace([tcp(await receiver.start(port), { spool, timeout: 12 })]);
  await until(() => distinct(receiver.seqs()).length === 40, 'all have arrived');
  await set.close(5000);
  assert.equal(set.list[0]!.status.dropped, 0);
});

test('what an output dropped counts on for the one that takes its place', async (t) => {
  const port = await freePort();
  const size = record(1).length;
  const small = { maxBytes: 10 * size, whenFull: 'drop_oldest' } as const;
  const { set } = outputs(t);
  await set.replace([tcp(port, { queue: small })]);
  write(set, 1, 9);
  write(set, 1, 9);
  const { dropped } = set.list[0]!.status;
  assert.equal(dropped, 8);
  await set.replace([tcp(port, { queue: small, timeout: 11 })]);
  assert.equal(set.list[0]!.status.dropped, 8);
  await set.replace([tcp(port, { printer: 'influx' })]);
  await until(() => set.list[0]!.status.droppedBy.stopped === 10, 'the rest is counted');
  assert.deepEqual([set.list[0]!.status.dropped, booked(set)], [18, 18]);
});

test('a spool directory that others may write to is refused, and nothing is made in it', async (t) => {
  const path = directory(t);
  const spool = { directory: join(path, 'logs'), maxBytes: 1 << 20, sync: 0.05, catchup: 0.5 };
  mkdirSync(spool.directory);
  chmodSync(spool.directory, 0o777);
  const { set } = outputs(t);
  await assert.rejects(set.replace([tcp(await freePort(), { spool })]), /other users can write to .*logs/);
  assert.deepEqual(readdirSync(spool.directory), []);
});
