import assert from 'node:assert/strict';
import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { mock, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createPrinter } from '../../src/formats/index.ts';
import { entriesOf } from '../../src/recording/entries.ts';
import { Recording, readSamples } from '../../src/recording/recording.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { valueOf } from '../../src/tui/values/row-values.ts';
import { completeSample, row, sampleOf, settings, vmRows } from '../formats/sample.ts';
import { file, printed, samples, start } from './files.ts';

/** All samples of a file, printed again as JSON, and how many records were passed over. */
async function replayed(path: string): Promise<{ text: string; skipped: number }> {
  const printer = createPrinter('json', settings);
  const skipped = { records: 0 };
  let text = '';
  for await (const sample of readSamples(path, skipped))
    text += Buffer.concat(printer.print(sample)).toString();
  return { text, skipped: skipped.records };
}

async function refused(path: string): Promise<string> {
  const error = await replayed(path).then(
    () => assert.fail('expected an error'),
    (found: unknown) => found as Error,
  );
  assert.equal(error.name, 'RecordingError');
  await assert.rejects(Recording.open(path), { name: 'RecordingError', message: error.message });
  return error.message.replace(path, 'FILE');
}

/** Why a file is refused after so many samples. */
async function refusedAfter(count: number, path: string): Promise<string> {
  let found = 0;
  try {
    for await (const sample of readSamples(path, { records: 0 })) found += sample.seq > 0 ? 1 : 0;
  } catch (error) {
    assert.equal((error as Error).name, 'RecordingError');
    assert.equal(found, count);
    return (error as Error).message.replace(path, 'FILE');
  }
  assert.fail('expected an error');
}

const layouts = ['cycle', 'event'] as const;
const formats = ['json', 'msgpack'] as const;

test('what was printed comes back as it was: both formats, both layouts, compressed or not', async () => {
  const written = samples(5);
  const expected = printed(written, 'json').toString();
  for (const format of formats) {
    for (const layout of layouts) {
      const bytes = printed(written, format, { layout });
      assert.deepEqual(
        await replayed(file('a', bytes)),
        { text: expected, skipped: 0 },
        `${format} ${layout}`,
      );
      const halves = Buffer.concat([gzipSync(bytes.subarray(0, 99)), gzipSync(bytes.subarray(99))]);
      assert.deepEqual(await replayed(file('a.1.gz', halves)), { text: expected, skipped: 0 });
    }
  }
});

test('every declared metric survives', async () => {
  const full = completeSample(
    (slot) => slot + 0.5,
    (id) => id,
  );
  const expected = printed([full], 'json').toString();
  for (const format of formats)
    for (const layout of layouts)
      assert.equal(
        (await replayed(file('full', printed([full], format, { layout })))).text,
        expected,
        layout,
      );
});

test('names and units of the original program are understood', async () => {
  const full = completeSample(
    (slot) => slot * 1024,
    (id) => id,
  );
  const original = printed([full], 'json', { names: 'original' });
  const printer = createPrinter('json', { ...settings, names: 'original' });
  for await (const sample of readSamples(file('original', original), { records: 0 })) {
    assert.equal(Buffer.concat(printer.print(sample)).toString(), original.toString());
  }
  const idle = sampleOf({
    interval: 2,
    guests: [
      vmRows(
        row('vm', { ram_total: 2 ** 30, ram_minflt: 8, net_rx_mbit: 3, disk_reads: 0, disk_blkio_delay: 50 }),
      ),
    ],
  });
  const path = file('original-units', printed([idle], 'msgpack', { names: 'original' }));
  for await (const { guests } of readSamples(path, { records: 0 })) {
    const vm = guests[0]?.row ?? assert.fail();
    assert.equal(valueOf(vm, 'ram_total'), 2 ** 30);
    assert.equal(valueOf(vm, 'ram_minflt'), 8);
    assert.equal(valueOf(vm, 'net_rx_mbit'), 3);
    assert.equal(valueOf(vm, 'disk_blkio_delay'), 50);
    assert.equal(valueOf(vm, 'disk_lat_rd'), NaN);
  }
});

test('a sample has the shape of those that are taken', async () => {
  for await (const { guests, collectors, time, seq, interval, run } of readSamples(
    file('shape', printed(samples(1), 'json')),
    { records: 0 },
  )) {
    assert.deepEqual({ time, seq, interval, run }, { time: start, seq: 1, interval: 1, run: 'r1' });
    assert.deepEqual(collectors, ['cpu', 'mem', 'disk', 'net']);
    const [first] = guests;
    assert.ok(first !== undefined);
    const { uuid, name, vmid, state } = first.guest;
    assert.deepEqual(
      { uuid, name, vmid, state },
      { uuid: 'u0', name: 'web "0" \u00e9', vmid: '100', state: 'running' },
    );
  }
});

test('torn and damaged records are passed over and counted, wherever they are', async () => {
  const lines = printed(samples(3), 'json').toString().split('\n');
  const [first = '', second = '', third = ''] = lines;
  const expected = `${first}\n${third}\n`;
  assert.deepEqual(await replayed(file('end', `${first}\n${third}\n${second.slice(0, 300)}`)), {
    text: expected,
    skipped: 1,
  });
  assert.deepEqual(await replayed(file('middle', `${first}\n${second.slice(0, 300)}\n${third}\n`)), {
    text: expected,
    skipped: 1,
  });
  assert.deepEqual(await replayed(file('beginning', `${second.slice(0, 300)}\n${first}\n${third}\n`)), {
    text: expected,
    skipped: 1,
  });
  const other = second.replace('"schema":1', '"schema":2');
  assert.deepEqual(await replayed(file('schema', `${first}\n${other}\n\n${third}\n`)), {
    text: expected,
    skipped: 2,
  });

  const maps = printed(samples(3), 'msgpack');
  const torn = await replayed(file('torn.msgpack', maps.subarray(0, maps.length - 20)));
  assert.deepEqual(torn, { text: `${first}\n${second}\n`, skipped: 1 });
  const cut = gzipSync(printed(samples(3), 'json'));
  const part = await replayed(file('cut.gz', cut.subarray(0, cut.length - 20)));
  assert.ok(part.skipped <= 1 && part.text.startsWith(`${first}\n`));
});

test('a file of something else is refused in one clear sentence', async () => {
  const wanted = 'expected samples that proxtop wrote as json or msgpack';
  assert.equal(await refused(file('empty', '')), 'FILE: it is empty, expected samples of proxtop');
  assert.equal(await refused(file('csv', 'scope,time\nvm,1\n')), `FILE: found "scope,time", ${wanted}`);
  assert.equal(await refused(file('other', '{"a":1}\n')), `FILE: found "{\\"a\\":1}", ${wanted}`);
  assert.equal(
    await refused(file('packed', Buffer.from([0x81, 0xa1, 0x61, 1]))),
    `FILE: found "\ufffd\ufffda\\u0001", ${wanted}`,
  );
  assert.equal(await refused(file('half', '{"a":1')), 'FILE: it contains no complete sample');
  const line = printed(samples(1), 'json').toString();
  assert.equal(
    await refused(file('newer', line.replace('"schema":1', '"schema":7'))),
    'FILE: found schema 7, expected 1: another version of proxtop wrote it',
  );
  const missing = `${file('x', '')}-missing`;
  assert.equal(await refused(missing), 'FILE: cannot read it: there is no such file');
  assert.equal(await refused(dirname(missing)), 'FILE: cannot read it: it is a directory');
});

test('an impossible sample is refused in one clear sentence', async () => {
  const line = printed(samples(1), 'json').toString();
  const long = Buffer.alloc((64 << 20) + 1, 'x');
  const message = `FILE: the record at byte ${Buffer.byteLength(line)} is larger than 64 MiB, which is no sample of proxtop`;
  for (const rest of [[long], [long, Buffer.from('\n')]])
    assert.equal(await refusedAfter(1, file('long', Buffer.concat([Buffer.from(line), ...rest]))), message);
  const map = printed(samples(1), 'msgpack');
  const text = Buffer.from([0x81, 0xa1, 0x61, 0xdb, 0xff, 0xff, 0xff, 0xff]);
  const packed = file('long.msgpack', Buffer.concat([map, text, long]));
  assert.equal(
    await refusedAfter(1, packed),
    message.replace(String(Buffer.byteLength(line)), String(map.length)),
  );
  // 600 MiB in 600 kB.
  const bomb = file('bomb.gz', gzipSync(Buffer.concat([Buffer.from('{'), Buffer.alloc(600 << 20)])));
  assert.equal(await refusedAfter(0, bomb), message.replace(String(Buffer.byteLength(line)), '0'));
});

test('rows of one sample without end are refused as well', async () => {
  const [, row = ''] = printed(samples(1), 'json', { layout: 'event' }).toString().split('\n');
  const many = Buffer.alloc((65 << 20) - ((65 << 20) % (row.length + 1)), `${row}\n`);
  assert.match(
    await refusedAfter(0, file('rows', many)),
    /^FILE: the record at byte 0 is larger than 64 MiB/,
  );
});

test('a line is read in linear time, however many pieces it comes in', async () => {
  /** Bytes that are copied together for a line of so many bytes, in pieces of 64 kB as a pipe has them. */
  const copied = async (count: number): Promise<number> => {
    let bytes = 0;
    const concat = Buffer.concat.bind(Buffer);
    const counted = mock.method(Buffer, 'concat', (list: readonly Uint8Array[], length?: number) => {
      const all = concat(list, length);
      bytes += all.length;
      return all;
    });
    const pieces = (async function* () {
      await Promise.resolve();
      for (let n = 0; n < count; n++) yield Buffer.alloc(1 << 16, '{');
      yield Buffer.from('\n');
    })();
    await assert.rejects(async () => {
      for await (const entry of entriesOf('x', pieces, { records: 0 }))
        assert.fail(`found ${entry.length} bytes`);
    });
    counted.mock.restore();
    return bytes;
  };
  const small = await copied(100);
  assert.ok((await copied(200)) < 2.1 * small);
  assert.ok(small < 1.1 * (100 << 16), `${small} bytes`);
});

test('what JSON cannot say is not printed again: no interval, numbers beyond all bounds', async () => {
  const [first = ''] = printed(samples(1), 'json').toString().split('\n');
  const without = first.replace(',"interval":1', '');
  for (const strange of [
    without,
    first.replace('"interval":1', '"interval":1e999'),
    first.replace('"interval":1', '"interval":"x"'),
    first.replace('"interval":1', '"interval":-1'),
  ])
    assert.equal(
      (await replayed(file('interval', `${strange}\n`))).text,
      `${without}\n`,
      strange.slice(0, 120),
    );
  const idle = '"cpu_idle":40,';
  assert.ok(first.includes(idle));
  assert.equal(
    (await replayed(file('infinite', `${first.replace(idle, '"cpu_idle":1e999,')}\n`))).text,
    `${first.replace(idle, '')}\n`,
  );
  const damaged = first.replace('"seq":1', `"seq":${'9'.repeat(400)}`);
  assert.deepEqual(await replayed(file('seq', `${first}\n${damaged}\n`)), { text: `${first}\n`, skipped: 1 });
});

test('a sample is there when its record is, before the next one begins', async () => {
  const written = samples(2);
  for (const format of formats) {
    let wanted = 0;
    const chunks = (async function* () {
      for (const sample of written) {
        await Promise.resolve();
        wanted++;
        yield printed([sample], format);
      }
    })();
    let found = 0;
    for await (const { time } of entriesOf('x', chunks, { records: 0 })) {
      assert.equal(time, written[found]?.time);
      assert.equal(++found, wanted, format);
    }
    assert.equal(found, 2);
  }
});

test('the copy of what is compressed takes no more than half of what is free', async (t) => {
  const path = file('free.gz', gzipSync(printed(samples(3), 'json')));
  // Stands for a directory for temporary files that is nearly full.
  t.mock.method(promises, 'statfs', () => Promise.resolve({ bavail: 4, bsize: 1024 }));
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  await assert.rejects(Recording.open(path), {
    name: 'RecordingError',
    message: `${path}: uncompressed it takes more than 0 MiB, half of what is free in ${tmpdir()}: set TMPDIR to a directory with more space`,
  });
});

test('samples of a recording can be had in any order', async () => {
  const written = samples(6);
  const lines = printed(written, 'json').toString().split('\n');
  for (const format of formats) {
    for (const layout of layouts) {
      const bytes = printed(written, format, { layout });
      for (const content of [bytes, gzipSync(bytes)]) {
        const recording = await Recording.open(file('order', content));
        const text = async (index: number): Promise<string | undefined> => {
          const sample: Sample | undefined = await recording.at(index);
          return sample && printed([sample], 'json').toString().trimEnd();
        };
        assert.equal(recording.complete, false);
        for (const index of [3, 0, 5, 5, 1]) assert.equal(await text(index), lines[index], `${index}`);
        assert.equal(await text(6), undefined);
        assert.equal(recording.length, 6);
        assert.equal(recording.complete, true);
        assert.equal(await recording.indexAt(start + 2500), 3);
        assert.equal(await recording.indexAt(0), 0);
        assert.equal(await recording.indexAt(start + 99_000), 5);
        await recording.close();
      }
    }
  }
});

test('a sample that turns out damaged is forgotten', async () => {
  const [first = '', second = '', third = ''] = printed(samples(3), 'json').toString().split('\n');
  const recording = await Recording.open(file('damaged', `${first}\n${second.slice(0, 300)}\n${third}\n`));
  assert.equal((await recording.at(1))?.seq, 3);
  assert.equal(recording.skipped.records, 1);
  assert.equal(recording.length, 2);
  await recording.close();
});

test('a recording larger than memory is worth is read in pieces', async () => {
  const line = printed(samples(1), 'json');
  const path = file('large', Buffer.concat(Array.from({ length: 20_000 }, () => line)));
  const before = process.memoryUsage().rss;
  const recording = await Recording.open(path);
  await recording.at(19_999);
  assert.ok(process.memoryUsage().rss - before < 200 << 20);
  await recording.close();
});
