import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, nearest } from '../../src/config/nearest.ts';

test('distance counts insertions, deletions, replacements and swaps of neighbours', () => {
  const cases: readonly [string, string, number][] = [
    ['', '', 0],
    ['', 'tcp', 3],
    ['json', 'json', 0],
    ['jsno', 'json', 1],
    ['jso', 'json', 1],
    ['jsonn', 'json', 1],
    ['jzon', 'json', 1],
    ['kitten', 'sitting', 3],
    ['stdin', 'stdout', 3],
  ];
  for (const [from, to, expected] of cases) {
    assert.equal(distance(from, to), expected, `${from} to ${to}`);
    assert.equal(distance(to, from), expected, `${to} to ${from}`);
  }
});

test('nearest names a word that is close, and none that is not', () => {
  const known = ['stdout', 'file', 'tcp', 'udp', 'frequency'];
  assert.equal(nearest('tpc', known), 'tcp');
  assert.equal(nearest('TCP', known), 'tcp');
  assert.equal(nearest('frequncy', known), 'frequency');
  assert.equal(nearest('http', known), undefined);
  assert.equal(nearest('influx', known), undefined);
  assert.equal(nearest('', known), undefined);
});
