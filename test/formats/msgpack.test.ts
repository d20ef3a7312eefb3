import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { build } from 'esbuild';
import { createPrinter } from '../../src/formats/index.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, settings, vmRows } from './sample.ts';

/** Debian's own, which has Debian's msgpack. */
const interpreter = '/usr/bin/python3';
const python = spawnSync(interpreter, ['-c', 'import msgpack']).status === 0;
const skip = !python && 'no python3-msgpack';

/** A stream of maps as Python reads it, strictly. */
function read(stream: Buffer): unknown[] {
  const program = `
import json, msgpack, sys
unpacker = msgpack.Unpacker(raw=False, strict_map_key=True, max_buffer_size=2**28)
unpacker.feed(sys.stdin.buffer.read())
print(json.dumps(list(unpacker)))
`;
  const { status, stdout, stderr } = spawnSync(interpreter, ['-c', program], {
    input: stream,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as unknown[];
}

/** What JSON's printer prints, which rounds; the numbers of these samples have few digits. */
const asJson = (sample: Sample, changed: Partial<PrinterSettings>) =>
  createPrinter('json', { ...settings, ...changed })
    .print(sample)
    .map((line) => JSON.parse(line.toString()) as unknown);
const packed = (sample: Sample, changed: Partial<PrinterSettings>) =>
  Buffer.concat(createPrinter('msgpack', { ...settings, ...changed }).print(sample));

test('the same objects as json, in both layouts, read back by Python', { skip }, () => {
  const samples = [
    completeSample(
      (slot) => slot + 0.5,
      (id) => `text of ${id}`,
    ),
    sampleOf({ interval: 1, guests: [vmRows(row('vm', { name: '007', vmid: '1' })), vmRows(row('vm'))] }),
    {
      ...completeSample(
        (slot) => slot,
        (id) => `${id} \ud83d\ude00\n"\\`,
      ),
      collectors: ['mem'] as const,
    },
  ];
  for (const sample of samples) {
    for (const changed of [
      { layout: 'cycle' },
      { layout: 'event' },
      { layout: 'cycle', devices: false, verbose: false },
    ] as const)
      assert.deepEqual(read(packed(sample, changed)), asJson(sample, changed));
  }
});

test('the names of the original program, as json has them', { skip }, () => {
  // Whole numbers of KiB, as JSON rounds others.
  const sample = completeSample(
    (slot) => slot * 1024,
    (id) => id,
  );
  for (const layout of ['cycle', 'event'] as const)
    assert.deepEqual(
      read(packed(sample, { layout, names: 'original' })),
      asJson(sample, { layout, names: 'original' }),
    );
});

test('many samples in one stream, with what is unknown left out', { skip }, () => {
  const sample = (seq: number) =>
    sampleOf({
      seq,
      interval: NaN,
      guests: [vmRows(row('vm', { name: 'v', cpu_total: NaN, cpu_steal: Infinity, ram_total: 2 ** 45 }))],
    });
  const stream = read(
    Buffer.concat([1, 2, 3].map((seq) => packed(sample(seq), { layout: 'cycle', devices: false }))),
  );
  assert.deepEqual(
    stream,
    [1, 2, 3].map((seq) => ({
      '@timestamp': '2026-11-22T12:00:00.000Z',
      schema: 1,
      run: 'r1',
      seq,
      host: {},
      domains: [{ name: 'v', ram_total: 2 ** 45 }],
      agent: { outputs: [], verdicts: [], nodes: [] },
    })),
  );
});

test('what is bundled never looks for the native addon of msgpackr', async () => {
  const { metafile } = await build({
    entryPoints: [new URL('../../src/formats/msgpack.ts', import.meta.url).pathname],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.some((path) => path.endsWith('msgpackr/pack.js')));
  assert.deepEqual(
    inputs.filter((path) => /msgpackr-extract|node-index/.test(path)),
    [],
  );
});
