import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balloonReading } from '../../src/guests/qemu/guest-report.ts';

const GIB = 2 ** 30;
const NOW = 1_800_000_000;
const host = { actual: 4 * GIB, max: 4 * GIB };
const report = { total: 3.9 * GIB, free: GIB, swapIn: 1, swapOut: 2 };

test('a fresh report counts, with its age', () => {
  for (const age of [0, 2, 30]) {
    assert.deepEqual(balloonReading({ ...host, ...report }, NOW - age, undefined, NOW), {
      ...host,
      ...report,
      age,
    });
  }
  assert.deepEqual(balloonReading({ ...host, ...report }, undefined, undefined, NOW), { ...host, ...report });
  assert.deepEqual(balloonReading({ ...host, total: GIB }, NOW, undefined, NOW), {
    ...host,
    total: GIB,
    age: 0,
  });
});

test('an old report does not count, only its age; one that never came has none', () => {
  for (const age of [31, 777_600]) {
    assert.deepEqual(balloonReading({ ...host, ...report }, NOW - age, undefined, NOW), { ...host, age });
  }
  assert.deepEqual(balloonReading({ ...host, ...report }, 0, undefined, NOW), host);
});

test('a report from the future: clocks differ a little; beyond that nothing is known of its age', () => {
  assert.deepEqual(balloonReading({ ...host, ...report }, NOW + 5, undefined, NOW), {
    ...host,
    ...report,
    age: 0,
  });
  assert.deepEqual(balloonReading({ ...host, ...report }, NOW + 3600, undefined, NOW), host);
});

test('a report that cannot be true does not count', () => {
  for (const wrong of [
    { total: 4 * GIB, free: 4.1 * GIB },
    { total: 0, free: 0 },
    { total: 4 * GIB + 1, free: GIB },
    { free: 5 * GIB },
  ]) {
    const told = { ...host, swapIn: 1, swapOut: 2, ...wrong };
    assert.deepEqual(balloonReading(told, NOW, undefined, NOW), { ...host, age: 0 }, JSON.stringify(wrong));
  }
});

test('the memory that the VM has bounds what it can report; where that is not known, nothing does', () => {
  const told = { actual: GIB, total: 2 * GIB, free: GIB };
  assert.deepEqual(balloonReading(told, NOW, GIB, NOW), { actual: GIB, age: 0 });
  assert.deepEqual(balloonReading(told, NOW, 2 * GIB, NOW), { ...told, age: 0 });
  assert.deepEqual(balloonReading({ total: 2 * GIB }, NOW, undefined, NOW), { total: 2 * GIB, age: 0 });
});
