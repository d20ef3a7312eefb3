import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createOutput } from '../../src/delivery/index.ts';
import type { FileSettings } from '../../src/delivery/settings.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { directory, logs, record, seqs, storeFor } from './helpers.ts';

const settings: Omit<FileSettings, 'path'> = {
  name: 'test',
  type: 'file',
  printer: 'json',
  print: { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' },
  queue: { maxBytes: 1 << 20, whenFull: 'drop_oldest' },
};
const ignore = (): void => {};
// An output hands a sample to its printer and looks at nothing but its seq; so does this printer.
const sample = (seq: number): Sample => ({ seq }) as Sample;

test('a sample is printed before write returns', async (t) => {
  const path = join(directory(t), 'samples');
  const reused = { seq: 0 };
  const output = createOutput(
    { ...settings, path },
    { print: ({ seq }) => [record(seq)] },
    storeFor(logs().log, settings),
    logs().log,
    ignore,
  );
  output.begin();
  for (reused.seq = 1; reused.seq <= 3; reused.seq++) output.write(reused as Sample);
  await output.close(5000);
  assert.equal(output.name, 'test');
  assert.deepEqual(seqs(readFileSync(path)), [1, 2, 3]);
});

test('a printer that fails is an error in the log, once a minute, and costs only its sample', async (t) => {
  const path = join(directory(t), 'samples');
  const { log, at } = logs();
  const print = ({ seq }: Sample): Buffer[] => {
    if (seq % 2 === 0) throw new RangeError('even');
    return [record(seq)];
  };
  const output = createOutput({ ...settings, path }, { print }, storeFor(log, settings), log, ignore);
  output.begin();
  for (const seq of [1, 2, 3, 4, 5]) output.write(sample(seq));
  await output.close(5000);
  assert.deepEqual(seqs(readFileSync(path)), [1, 3, 5]);
  assert.deepEqual([output.status.sent, output.status.droppedBy.unprintable], [3, 2]);
  assert.deepEqual(at('error'), [`${settings.name}: cannot print sample 2`]);
});
