import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatThatBegins, intervalOf, timeOf } from '../../src/recording/format.ts';

test('a time that no clock shows makes a record a damaged one', () => {
  const headOf = (timestamp: string) => {
    const record = Buffer.from(`{"@timestamp":"${timestamp}","schema":2,"run":"r","seq":1,"interval":1}`);
    return formatThatBegins(record[0] ?? 0)?.head(record);
  };
  assert.equal(headOf('2026-11-28T03:17:00.000Z')?.time, Date.UTC(2026, 10, 28, 3, 17));
  // The last one is the end of what a Date holds, which other zones cannot print.
  for (const odd of [
    '',
    'soon',
    '1969-12-31T23:59:59.000Z',
    '9999-01-01T00:00:00Z',
    '+275760-09-13T00:00:00.000Z',
  ]) {
    assert.equal(headOf(odd), undefined, odd);
    assert.ok(Number.isNaN(timeOf(odd)), odd);
  }
});

test('an interval is known if it is positive and began when there were clocks', () => {
  assert.equal(intervalOf(10, 1e12), 10);
  for (const odd of [0, -1, NaN, 1e300, Infinity, '10', undefined, null])
    assert.ok(Number.isNaN(intervalOf(odd, 1e12)), String(odd));
});
