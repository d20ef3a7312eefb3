import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readings, Totals, meanPerOperation } from '../../src/collectors/readings.ts';

test('two records take turns, and only a committed one counts', () => {
  const readings = new Readings(() => ({ value: 0 }));
  readings.spare.value = 1;
  readings.commit();
  assert.equal(readings.complete, false);
  readings.spare.value = 99; // a read that failed half-way
  readings.spare.value = 2;
  readings.commit();
  assert.ok(readings.complete);
  assert.deepEqual([readings.previous.value, readings.current.value], [1, 2]);
  const oldest = readings.spare;
  readings.spare.value = 3;
  readings.commit();
  assert.equal(readings.current, oldest);
  assert.deepEqual([readings.previous.value, readings.current.value], [2, 3]);
});

test('totals add what is known and never fall', () => {
  const totals = new Totals(2);
  assert.ok(Number.isNaN(totals.at(0)));
  totals.add(0, NaN);
  assert.ok(Number.isNaN(totals.at(0)), 'nothing was known yet');
  for (const growth of [5, NaN, 0, 7]) totals.add(0, growth);
  assert.equal(totals.at(0), 12);
  assert.ok(Number.isNaN(totals.at(1)));
});

test('a mean over nothing is not known', () => {
  assert.equal(meanPerOperation(6, 4), 1.5);
  assert.ok(Number.isNaN(meanPerOperation(0, 0)));
  assert.ok(Number.isNaN(meanPerOperation(6, NaN)));
});
