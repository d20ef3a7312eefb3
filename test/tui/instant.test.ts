import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../../src/tui/sources/instant.ts';

const from = new Date(2026, 10, 22, 12, 30, 15).getTime();

test('times as people write them', () => {
  assert.equal(instant('14:05', from), new Date(2026, 10, 22, 14, 5).getTime());
  assert.equal(instant(' 4:05:09 ', from), new Date(2026, 10, 22, 4, 5, 9).getTime());
  assert.equal(instant('2026-01-31 23:59', from), new Date(2026, 0, 31, 23, 59).getTime());
  assert.equal(instant('2026-01-31T00:00:01', from), new Date(2026, 0, 31, 0, 0, 1).getTime());
  assert.equal(instant('2026-01-31', from), new Date(2026, 0, 31).getTime());
  assert.equal(instant('+90', from), from + 90_000);
  assert.equal(instant('-1.5', from), from - 1500);
});

test('texts that are not times are refused', () => {
  for (const text of ['', 'soon', '25:00', '12:60', '12:00:60', '2026-02-30', '2026-13-01 10:00', '90', '12'])
    assert.equal(instant(text, from), undefined, text);
});
