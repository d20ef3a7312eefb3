import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxNumberBytes, writeNumber } from '../../src/formats/shared/numbers.ts';

const scratch = Buffer.alloc(maxNumberBytes + 1);

function written(value: number): string {
  return scratch.toString('latin1', 1, writeNumber(scratch, 1, value));
}

test('integers are whole, at any size', () => {
  const integers = [
    0,
    1,
    9,
    10,
    99,
    100,
    12345,
    999_999_999,
    1e9,
    1_000_000_001,
    4_294_967_296,
    68_719_476_736,
    2 ** 53 - 1,
    2 ** 53,
    2 ** 53 + 2,
    2 ** 63,
    1e21,
    1e22,
    Number.MAX_VALUE,
  ];
  for (const value of integers) {
    assert.equal(written(value), BigInt(value).toString());
    assert.equal(written(-value), BigInt(-value).toString());
  }
  assert.equal(written(-0), '0');
});

test('fractions keep seven significant digits and lose trailing zeros', () => {
  assert.equal(written(12.5), '12.5');
  assert.equal(written(-12.5), '-12.5');
  assert.equal(written(0.1 + 0.2), '0.3');
  assert.equal(written(1 / 3), '0.333333333');
  assert.equal(written(200 / 3), '66.666667');
  assert.equal(written(4000 / 3), '1333.333');
  assert.equal(written(1e9 + 0.6), '1000000001');
  assert.equal(written(1.05), '1.05');
  assert.equal(written(0.001), '0.001');
});

test('rounding carries into the integer', () => {
  assert.equal(written(0.9999999999), '1');
  assert.equal(written(9.9999999), '10');
  assert.equal(written(999.9999999), '1000');
  assert.equal(written(999_999_999.9999), '1000000000');
  assert.equal(written(1.0000001), '1');
});

test('small numbers are written without exponent; what a hundred decimals cannot show is 0', () => {
  assert.equal(written(1e-7), '0.0000001');
  assert.equal(written(-1.5e-10), '-0.00000000015');
  assert.equal(written(0.000123456789), '0.0001234568');
  assert.equal(written(5e-324), '0');
  assert.equal(written(-5e-324), '0');
});

test('what is read back differs by less than a millionth', () => {
  let state = 7;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let count = 0; count < 200_000; count++) {
    const value = (random() - 0.5) * 10 ** (random() * 36 - 18);
    const text = written(value);
    assert.match(text, /^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
    assert.ok(Math.abs(Number(text) - value) <= 1e-6 * Math.abs(value), `${value} became ${text}`);
  }
});
