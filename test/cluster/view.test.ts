import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Merger } from '../../src/cluster/merge.ts';
import type { MergedSample } from '../../src/cluster/merge.ts';
import { NodeVerdicts } from '../../src/tui/analysis/node-verdicts.ts';
import { defaultPreferences } from '../../src/tui/preferences.ts';
import { TableControl } from '../../src/tui/table/table-control.ts';
import { guest, moment } from './nodes.ts';

const size = { columns: 140, rows: 30 };

function shown(table: TableControl, sample: MergedSample): string {
  return table
    .lines(sample, size)
    .map((spans) => spans.map(({ text }) => text).join(''))
    .join('\n');
}

function nodes(): MergedSample {
  return new Merger().merge(moment(1, { pve1: [guest('a')], pve2: [guest('b'), guest('c')] }));
}

test('rows name their node, the header is about all, and a filter takes one', () => {
  const table = new TableControl(defaultPreferences(), () => 'ok', false);
  const all = shown(table, nodes());
  assert.match(all, /NODES 2 of 2 {2}GUESTS 3 {2}%BUSY 30.0 of 8 CPUs {2}%MEM 75.0/);
  assert.match(all, /vm-a +pve1 /);
  assert.match(all, /vm-c +pve2 /);
  table.filter = 'node:pve1';
  assert.doesNotMatch(shown(table, nodes()), /vm-b/);
  table.filter = 'PVE2';
  assert.match(shown(table, nodes()), /vm-b +pve2 [^]*vm-c +pve2 /);
});

test('key 0 has a row a node, and opens the guests of one; the header follows the cursor', () => {
  const table = new TableControl(defaultPreferences(), () => 'ok', false);
  table.showKey('0');
  assert.match(shown(table, nodes()), /pve1 +up +30.0 +75.0 +1 [^]*pve2 +up +30.0 +75.0 +2 /);
  table.cursor.move(1);
  assert.match(shown(table, nodes()), /^CPU /);
  assert.equal(table.node?.name, 'pve2');
  assert.ok(table.openNode());
  const opened = shown(table, nodes());
  assert.match(opened, /vm-b/);
  assert.doesNotMatch(opened, /vm-a/);
});

test('verdicts name their node and are made of its samples alone', () => {
  const verdicts = new NodeVerdicts();
  const merger = new Merger();
  const failed = guest('b', { state: 'io-error' });
  for (let seq = 1; seq <= 20; seq++)
    verdicts.add(merger.merge(moment(seq, { pve1: [guest('a')], pve2: [failed] })));
  assert.ok(verdicts.isWarm);
  const [verdict] = verdicts.now;
  assert.match(verdict?.text ?? '', /^pve2: /);
  assert.deepEqual(
    verdict?.victims.map((victim) => victim.guest.guest.name),
    ['vm-b'],
  );
});
