import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { FileDestination } from '../../src/delivery/file/file.ts';
import { endOfValue, endOfWholeValues } from '../../src/delivery/file/msgpack-end.ts';
import { Tap } from '../../src/delivery/ledger/tap.ts';
import { directory, logs, storeFor, TestOutput } from './helpers.ts';

const packr = new Packr({ useRecords: false });
const pack = (value: unknown): Buffer => Buffer.from(packr.pack(value));

async function endIn(t: TestContext, content: Buffer): Promise<number> {
  const path = join(directory(t), 'values');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    return await endOfWholeValues(fd, content.length);
  } finally {
    closeSync(fd);
  }
}

/** One value of each type and width that the format has. */
const values = [
  ...[0, 127, 128, 65535, 65536, 2 ** 32, -1, -32, -33, -200, -40_000, -(2 ** 31) - 1, 2n ** 63n, 0.5, 1e300],
  ...[null, true, false, '', 'a', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(300), 'x'.repeat(70_000)],
  ...[
    [],
    [1, [2, ['three']]],
    Array.from({ length: 20 }, (_, i) => i),
    Array.from({ length: 70_000 }, () => 0),
  ],
  ...[{}, { a: { b: {} } }, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key ${i}`, i / 3]))],
  ...[Buffer.alloc(5), Buffer.alloc(300), Buffer.alloc(2_500_000), new Date(1e12), new Date(1e12 + 0.5)],
];
/** Extensions of fixed size and of 8, 16 and 32 bits of length, written by hand; msgpackr makes none of them. */
const extensions = [
  ...[1, 2, 4, 8, 16].map((size, index) =>
    Buffer.concat([Buffer.from([0xd4 + index, 5]), Buffer.alloc(size, 0xff)]),
  ),
  Buffer.concat([Buffer.from([0xc7, 3, 5]), Buffer.alloc(3, 0xff)]),
  Buffer.concat([Buffer.from([0xc8, 1, 0, 5]), Buffer.alloc(256, 0xff)]),
  Buffer.concat([Buffer.from([0xc9, 0, 1, 0, 0, 5]), Buffer.alloc(65_536, 0xff)]),
];

test('the end of values of every type, whole and cut', async (t) => {
  for (const value of [...values.map(pack), ...extensions]) {
    assert.equal(await endIn(t, value), value.length, value.subarray(0, 20).toString('hex'));
    assert.equal(await endIn(t, value.subarray(0, -1)), 0);
    assert.equal(
      await endIn(t, Buffer.concat([value, value, pack('torn').subarray(0, 2)])),
      2 * value.length,
    );
  }
  assert.equal(await endIn(t, Buffer.alloc(0)), 0);
});

test('the end of a value in memory, at any offset and cut at any byte of its head', () => {
  for (const value of [...values.map(pack), ...extensions]) {
    const shown = value.subarray(0, 20).toString('hex');
    assert.equal(endOfValue(Buffer.concat([pack('x'), value, pack(1)]), 2), 2 + value.length, shown);
    for (let length = 0; length < Math.min(value.length, 12); length++)
      assert.equal(endOfValue(value.subarray(0, length), 0), undefined, `${shown} cut to ${length}`);
    assert.equal(endOfValue(value.subarray(0, -1), 0), undefined, shown);
  }
});

test('a record torn at every byte', async (t) => {
  const whole = pack({ seq: 1, host: { name: 'a', cpu: 0.25 }, domains: [{ name: 'b' }, {}] });
  for (let length = 0; length < whole.length; length++)
    assert.equal(
      await endIn(t, Buffer.concat([whole, whole.subarray(0, length)])),
      whole.length,
      String(length),
    );
});

test('a file that a crash left torn is read on behind its last whole record', async (t) => {
  const path = join(directory(t), 'samples');
  const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
  const queue = { maxBytes: 1 << 20, whenFull: 'drop_oldest' } as const;
  const record = (seq: number): Buffer => pack({ seq, name: 'x'.repeat(100) });
  writeFileSync(path, Buffer.concat([record(1), record(2).subarray(0, 50)]));
  const settings = { name: 'test', type: 'file', printer: 'msgpack', print, path, queue } as const;
  const { log } = logs();
  const file = new TestOutput(t, settings, log, (tap) => new FileDestination(settings, tap, log));
  file.send([record(3), record(4)]);
  await file.close(5000);
  const seqs = new Unpackr({ useRecords: false, mapsAsObjects: true }).unpackMultiple(readFileSync(path)) as {
    seq: number;
  }[];
  assert.deepEqual(
    seqs.map(({ seq }) => seq),
    [1, 3, 4],
  );
});

test('a file of another format is left alone', async (t) => {
  const path = join(directory(t), 'samples');
  const json = '{"name":"\u00dc\u0130"}\n';
  writeFileSync(path, json);
  const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
  const queue = { maxBytes: 1 << 20, whenFull: 'drop_oldest' } as const;
  const settings = { name: 'test', type: 'file', printer: 'msgpack', print, path, queue } as const;
  const message = `cannot open ${path} for writing: it contains something other than msgpack`;
  const { log } = logs();
  const tap = new Tap(storeFor(log, settings));
  await assert.rejects(new FileDestination(settings, tap, log).ready(), { message });
  assert.equal(readFileSync(path, 'utf8'), json);
});
