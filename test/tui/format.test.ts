import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNumber, numberWidth, unitModes } from '../../src/tui/values/format.ts';
import { units as facts } from '../../src/catalogue/units.ts';
import type { Unit } from '../../src/catalogue/units.ts';

/** Those of numbers. */
const units = (Object.keys(facts) as Unit[]).filter((unit) => unit !== '-');

test('numbers as people read them', () => {
  assert.equal(formatNumber(12.345, 'percent'), '12.3');
  assert.equal(formatNumber(100, 'percent'), '100.0');
  assert.equal(formatNumber(0.314, 'ms'), '0.31');
  assert.equal(formatNumber(3, 'count'), '3');
  assert.equal(formatNumber(1234567, 'per second'), '1.23M');
  assert.equal(formatNumber(2 ** 30, 'bytes'), '1.00G');
  assert.equal(formatNumber(1023 * 2 ** 20, 'bytes'), '1.00G');
  assert.equal(formatNumber(2 ** 30, 'bytes', 'MiB'), '1024');
  assert.equal(formatNumber(2 ** 30, 'bytes', 'bytes'), '1073741824');
  assert.equal(formatNumber(7200, 'seconds'), '2h');
  assert.equal(formatNumber(NaN, 'bytes'), '-');
});

test('every number of every unit fits into its column', () => {
  for (const unit of units) {
    for (const mode of unitModes) {
      const largest = unit === 'percent' ? 9999 : unit === 'seconds' ? 1e9 : 1e14;
      for (let value = 0.0001; value < largest; value *= 3.7) {
        const text = formatNumber(value, unit, mode);
        assert.ok(text.length <= numberWidth(unit, mode), `${value} ${unit} ${mode}: ${text}`);
      }
    }
  }
});
