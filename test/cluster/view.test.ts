import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Merger, isMerged } from '../../src/cluster/merge.ts';
import type { MergedSample } from '../../src/cluster/merge.ts';
import type { Moment } from '../../src/tui/moments/moment.ts';
import { RecentSamples } from '../../src/tui/moments/recent-samples.ts';
import { MomentMaker } from '../../src/tui/moments/moment-maker.ts';
import { ClusterSource } from '../../src/tui/sources/cluster-source.ts';
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

/** What changes: a guest that fails, one that moves, a node that is away. */
function second(seq: number): ReturnType<typeof moment> {
  const load = { cpu_total: seq % 50 };
  const moving = guest('m', { ...load, vmid: '102' });
  return moment(seq, {
    pve1: [
      guest('a', { state: seq >= 30 && seq < 45 ? 'io-error' : 'running' }),
      ...(seq < 20 ? [moving] : []),
    ],
    // Which nothing tells from that of the other node but its node.
    pve2: [guest('', { name: 'container', vmid: '101', ...load }), ...(seq < 20 ? [] : [moving])],
    ...(seq < 10 || seq > 15 ? { pve3: [guest('', { name: 'container', vmid: '101' })] } : {}),
  });
}

test('the view pauses and scrolls back, with the nodes and verdicts of that time', async () => {
  const source = new ClusterSource(1, () => undefined, undefined, new AbortController());
  let now: Moment | undefined;
  const said: string[] = [];
  /** Both views of the moment that is shown. */
  const screen = (): string => {
    assert.ok(now !== undefined && isMerged(now.sample));
    const { sample, verdicts } = now;
    const table = new TableControl(defaultPreferences(), () => 'ok', false);
    const guests = shown(table, sample);
    table.showKey('0');
    return [guests, shown(table, sample), ...verdicts.map(({ text }) => text)].join('\n');
  };
  const press = async (key: string): Promise<string> => {
    const show = (moment: Moment): void => {
      now = moment;
    };
    const desk = { tell: (text: string) => said.push(text), ask: () => undefined, show };
    const command = source.commands.find(({ keys }) => keys.includes(key));
    assert.ok(command !== undefined, key);
    command.act(key, desk);
    await source.idle();
    return screen();
  };
  const screens = new Map<number, string>();
  for (let seq = 1; seq <= 60; seq++) {
    now = source.take(second(seq));
    screens.set(seq, screen());
  }
  assert.equal(await press('Z'), screens.get(60));
  for (let seq = 61; seq <= 80; seq++) now = source.take(second(seq));
  assert.equal(screen(), screens.get(60), 'it stands while others come');
  assert.match(source.note.join(), /PAUSED/);
  for (let seq = 59; seq >= 8; seq--) assert.equal(await press('['), screens.get(seq), `second ${seq}`);
  assert.equal(await press(']'), screens.get(9));
  assert.match(screens.get(9) ?? '', /vm-m +pve1 /);
  assert.match(await press('}'), /vm-m +pve2 /);
  assert.match(await press('!'), /pve1: .*vm-a/);
  assert.equal(await press('{'), screens.get(1));
  await press('[');
  assert.match(said.at(-1) ?? '', /nothing older: a view of several hosts keeps ten minutes at most/);
  await press('G');
  assert.deepEqual(source.note, []);
});

test('of many nodes so many moments are kept as cost little, and each at which something red begins', async () => {
  const maker = new MomentMaker();
  let most = 0;
  const recent = new RecentSamples({ rate: 1000 });
  const times: number[] = [];
  for (let seq = 1; seq <= 60; seq++) {
    const before = recent.bytes;
    const taken = maker.take(second(seq));
    recent.keep(taken);
    if (recent.bytes > before) times.push(seq);
    most = Math.max(most, recent.bytes - before);
  }
  assert.ok(most > 2000, `${most} bytes are more than one second may have`);
  assert.ok(times.length <= 35 && times.includes(30), times.join());
  const red = recent.redBefore(Infinity) ?? NaN;
  assert.match((await recent.from(red))?.verdicts[0]?.text ?? '', /^pve1: /);
});
