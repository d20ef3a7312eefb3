import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SelectingPrinter } from '../../src/delivery/selection.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

const vm = (name: string, vmid: string, tags?: string) => {
  const rows = vmRows(row('vm', { name }));
  return { ...rows, guest: { ...rows.guest, name, vmid, uuid: `uuid-of-${vmid}`, tags } };
};
const sample = sampleOf({
  guests: [
    vm('web1', '100', 'prod;eu'),
    vm('web2', '101', 'test'),
    vm('web.old', '102'),
    vm('db', '110', 'prod'),
    vm('100', '120'),
    vm('a*b\nc', '130'),
  ],
});

/** The vmids that a selection leaves. */
function chosen(selection: { include?: string[]; exclude?: string[] }): string[] {
  let seen: Sample | undefined;
  new SelectingPrinter({ print: (part) => ((seen = part), []) }, selection).print(sample);
  // Rows are shown, not copied.
  for (const rows of seen?.guests ?? []) assert.ok(sample.guests.includes(rows));
  return seen?.guests.map(({ guest: { vmid = '' } }) => vmid) ?? [];
}

test('VMs by name, id, UUID and tag', () => {
  const all = ['100', '101', '102', '110', '120', '130'];
  assert.deepEqual(chosen({}), all);
  assert.deepEqual(chosen({ include: ['*'] }), all);
  assert.deepEqual(chosen({ include: ['web?'] }), ['100', '101']);
  assert.deepEqual(chosen({ include: ['web.*'] }), ['102']);
  assert.deepEqual(chosen({ include: ['web'] }), []);
  assert.deepEqual(chosen({ include: ['100'] }), ['100', '120']);
  assert.deepEqual(chosen({ include: ['UUID-OF-110'] }), ['110']);
  assert.deepEqual(chosen({ include: ['tag:prod'] }), ['100', '110']);
  assert.deepEqual(chosen({ include: ['tag:e*'] }), ['100']);
  assert.deepEqual(chosen({ include: ['a*c'] }), ['130']);
  assert.deepEqual(chosen({ include: ['web*', 'tag:prod', '130'] }), ['100', '101', '102', '110', '130']);
});

test('exclude wins over include', () => {
  assert.deepEqual(chosen({ exclude: ['web*', '110'] }), ['120', '130']);
  assert.deepEqual(chosen({ include: ['web*'], exclude: ['tag:prod'] }), ['101', '102']);
});

test('collectors: only such as ran', () => {
  const seen: (readonly string[])[] = [];
  const printer = { print: ({ collectors }: Sample) => (seen.push(collectors), []) };
  const selecting = new SelectingPrinter(printer, { collectors: ['net', 'cpu'] });
  selecting.print(sample);
  selecting.print({ ...sample, collectors: ['cpu', 'mem'] });
  assert.deepEqual(seen, [['cpu', 'net'], ['cpu']]);
});
