import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NamedRow, NamedRows } from '../../src/kernel/base/named-rows.ts';
import { cursorOf } from './support.ts';

const COLON = 0x3a;

/** Reads a table of lines `name:`. */
function readInto(rows: NamedRows<NamedRow>, names: readonly (string | Buffer)[]): (NamedRow | undefined)[] {
  const cursor = cursorOf(Buffer.concat(names.flatMap((name) => [Buffer.from(name), Buffer.from(':\n')])));
  rows.begin();
  const seen = [];
  while (!cursor.atEnd) {
    seen.push(rows.row(cursor, COLON));
    cursor.skipLine();
  }
  rows.end();
  return seen;
}

function newRows(): NamedRows<NamedRow> {
  return new NamedRows((bytes) => new NamedRow(bytes));
}

test('a row stays the same object while its name is listed, wherever it stands', () => {
  const rows = newRows();
  readInto(rows, ['a', 'b', 'c', 'd']);
  const first = new Map(rows.rows.map((row) => [row.name, row]));
  const orders = ['abcd', 'dcba', 'bcda', 'abxcd', 'xyabcd', 'acdbz'];
  for (const order of orders) {
    readInto(rows, order.split(''));
    assert.deepEqual(rows.rows.map(({ name }) => name).join(''), order);
    for (const [name, row] of first) assert.equal(rows.get(name), row, `${name} in ${order}`);
  }
});

test('a name that is gone is dropped, and is a new row when it comes back', () => {
  const rows = newRows();
  readInto(rows, ['a', 'b', 'c']);
  const b = rows.get('b');
  readInto(rows, ['a', 'c']);
  assert.equal(rows.get('b'), undefined);
  assert.deepEqual(
    rows.rows.map(({ name }) => name),
    ['a', 'c'],
  );
  readInto(rows, ['a', 'b', 'c']);
  assert.notEqual(rows.get('b'), b);
  readInto(rows, []);
  assert.deepEqual(rows.rows, []);
  assert.equal(rows.get('a'), undefined);
});

test('one name may start with another', () => {
  const rows = newRows();
  readInto(rows, ['tap1', 'tap10', 'tap100']);
  const seen = readInto(rows, ['tap100', 'tap1', 'tap10']);
  assert.deepEqual(
    seen.map((row) => row?.name),
    ['tap100', 'tap1', 'tap10'],
  );
});

test('a name listed twice, because the list changed while it was read, is one row', () => {
  const rows = newRows();
  readInto(rows, ['a', 'b', 'c']);
  const a = rows.get('a');
  const seen = readInto(rows, ['a', 'b', 'a', 'c']);
  assert.equal(seen[2], a);
  assert.deepEqual(
    rows.rows.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
});

test('names of any bytes are distinguished', () => {
  const rows = newRows();
  const names = [Buffer.from([0xff]), Buffer.from([0xfe]), 'ä', 'n"a\\me', '$(x)', '\u0007'];
  const first = readInto(rows, names);
  assert.equal(new Set(first).size, names.length);
  assert.deepEqual(readInto(rows, names.toReversed()), first.toReversed());
  assert.equal(rows.get('ä'), first[2]);
});

test('a line without name or delimiter has no row', () => {
  const rows = newRows();
  const cursor = cursorOf(':\nname\nlast');
  rows.begin();
  for (let i = 0; i < 3; i++) {
    assert.equal(rows.row(cursor, COLON), undefined);
    cursor.skipLine();
  }
  rows.end();
  assert.deepEqual(rows.rows, []);
});

test('random changes of a list leave exactly what is listed', () => {
  const rows = newRows();
  let seed = 1;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  for (let i = 0; i < 500; i++) {
    const names = new Set(Array.from({ length: random(12) }, () => `n${random(15)}`));
    const before = new Map(rows.rows.map((row) => [row.name, row]));
    readInto(rows, [...names]);
    assert.deepEqual(
      rows.rows.map(({ name }) => name),
      [...names],
    );
    for (const name of names) if (before.has(name)) assert.equal(rows.get(name), before.get(name));
  }
});
