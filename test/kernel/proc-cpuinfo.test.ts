import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { parseCpuinfo } from '../../src/kernel/proc/proc-cpuinfo.ts';
import { fixture, kernels } from './support.ts';

for (const kernel of kernels) {
  test(`agrees with awk about ${kernel}`, () => {
    const path = fixture(kernel).proc('cpuinfo');
    const text = execFileSync('cat', [path], { encoding: 'utf8' });
    const mean = execFileSync('awk', ['/^cpu MHz/ { s += $4; n++ } END { printf "%.6f", s / n }', path], {
      encoding: 'utf8',
    });
    assert.ok(Math.abs(parseCpuinfo(text) - Number(mean)) < 1e-3);
  });
}

test('is the mean of all CPUs', () => {
  assert.equal(
    parseCpuinfo('processor\t: 0\ncpu MHz\t\t: 1000.500\n\ncpu MHz\t\t: 2000.500\ncache size : 1\n'),
    1500.5,
  );
});

test('is not known where the file does not tell', () => {
  for (const text of [
    '',
    'processor\t: 0\nBogoMIPS\t: 50.00\n',
    'cpu MHz\t\t: unknown\n',
    'cpu MHz\t\t: 24',
  ]) {
    assert.equal(parseCpuinfo(text), NaN);
  }
});
