import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../../src/catalogue/row.ts';
import { resolveThresholds } from '../../src/config/thresholds.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { judge } from '../../src/tui/analysis/grade.ts';
import { RecentValues } from '../../src/tui/analysis/recent-values.ts';
import { defaultPreferences } from '../../src/tui/preferences.ts';
import type { Line } from '../../src/tui/screen/spans.ts';
import { Snapshots } from '../../src/tui/moments/snapshot.ts';
import { statusLine } from '../../src/tui/status-line.ts';
import { TableControl } from '../../src/tui/table/table-control.ts';
import { views } from '../../src/tui/table/views.ts';
import { Verdicts } from '../../src/verdicts/verdicts.ts';
import { row } from '../formats/sample.ts';
import { sampleAt } from '../verdicts/world.ts';
import type { World } from '../verdicts/world.ts';
import { disk, sample, vm } from './samples.ts';

const thresholds = resolveThresholds(new Map());
const wide = { columns: 120, rows: 40 };

function control(key: (typeof views)[number]['key'] = 'a'): TableControl {
  return new TableControl({ ...defaultPreferences(), view: key }, (id, value, of) =>
    judge(thresholds, id, value, of),
  );
}

function text(line: Line): string {
  return line.map((span) => span.text).join('');
}

/** The names of VMs, in the order of the screen. */
function order(table: TableControl, of: Sample): string[] {
  table.lines(of, wide);
  return table.visible.map(({ guest }) => guest.key);
}

const calm = vm('calm', { cpu_used: 2, cpu_steal: 1 });

test('what hangs is first at once, and its devices; what the user sorts by stays', () => {
  const hung = vm('hung', { qmp: 'timeout', qmp_age: 90 }, { disks: [disk('scsi0')] });
  const busy = vm('busy', { cpu_used: 3 }, { disks: [disk('scsi0', { disk_lat_avg: 4 })] });
  const of = sample([calm, busy, hung]);
  const table = control();
  assert.deepEqual(order(table, of), ['hung', 'busy', 'calm']);
  assert.deepEqual(order(control('d'), of), ['hung', 'busy']);
  table.sortBy('cpu_used');
  assert.deepEqual(order(table, of), ['busy', 'calm', 'hung']);
  assert.equal(table.sortHeading, 'CPUS');
  table.defaultOrder();
  assert.deepEqual(order(table, of), ['hung', 'busy', 'calm']);
  assert.equal(table.sortHeading, 'red+CPUS');
});

test('who suffers by the verdicts comes first, with the device in question; single samples move nothing', () => {
  const steal = (value: number) => ({ cpu_total: 30, cpu_steal: value, cpu_steal_max: value });
  const slow = { scsi0: { disk_reads: 50, disk_writes: 0, disk_lat_avg: 60, disk_lat_rd: 60 }, scsi1: {} };
  const world = (second: number): World => ({
    host: { cpu_idle: 0 },
    guests: {
      '3100 ci': { cpu_cores: 8, cpu_total: 80, disks: { scsi0: { disk_lat_avg: 70 } } },
      '3101 web': steal(second % 10 === 1 ? 40 : 1),
      '3102 pg': steal(second < 60 ? 1 : 40),
      '3103 db': { disks: slow },
    },
  });
  const verdicts = new Verdicts();
  const [table, disks] = [control(), control('d')];
  const names = (of: TableControl, second: number): string[] => {
    const now = sampleAt(world(second), second);
    verdicts.add(now);
    of.lines(now, wide, { verdicts: verdicts.now });
    return of.visible.map(({ guest }) => guest.key.slice(5, 9));
  };
  assert.deepEqual(names(table, 0), ['3100', '3101', '3102', '3103']);
  for (let second = 1; second < 60; second++)
    assert.ok(['3100', '3103'].includes(names(table, second)[0] ?? ''), `second ${second}`);
  assert.equal(names(disks, 60)[0], '3103', 'its disk is slow, that of the other one by a value alone');
  for (let second = 61; second < 90; second++) names(table, second);
  assert.deepEqual(new Set(names(table, 90).slice(0, 2)), new Set(['3102', '3103']));
  assert.equal(control('s').sortHeading, '%UTIL', 'devices of the host suffer nothing');
});

test('the column that is sorted by is on the screen at every width, with name and badge', () => {
  const of = sample([vm('web', { vmid: '101', state: 'paused', ram_swap: 1 }, { disks: [disk('scsi0')] })]);
  for (const view of views.filter(({ scope }) => scope.startsWith('vm'))) {
    for (const id of [view.sort, ...Object.values(view.sortKeys)]) {
      const table = control(view.key);
      table.sortBy(id);
      for (const columns of [40, 80, 120, 200]) {
        const heading = text(
          table.lines(of, { columns, rows: 20 }).find((line) => text(line).includes('NAME')) ?? [],
        );
        assert.ok(
          heading.split(/ +/).includes(table.sortHeading),
          `${view.key} ${id} at ${columns}: ${heading}`,
        );
        assert.match(heading, /STAT/, `${view.key} ${id} at ${columns}`);
        assert.ok(heading.trimEnd().length <= columns);
      }
    }
  }
});

test('the values of a monitor that misses stand dim for 30 s, and are neither red nor gone', () => {
  const snapshots = new Snapshots();
  const table = control('d');
  const shown = (
    at: number,
    known: Readonly<Record<string, number | string>>,
    latency: number,
  ): (string | undefined)[] => {
    const disks = [disk('scsi0', Number.isNaN(latency) ? {} : { disk_lat_avg: latency })];
    const copy = snapshots.copy(sample([vm('db', known, { disks })], { time: at * 1000 }));
    const cells = table.lines(copy, wide).at(-1) ?? [];
    // The column LAT/avg.
    const cell = cells.find((span) => /^ {2,}(40\.00|-)$/.test(span.text));
    return [cell?.text.trim(), cell?.style];
  };
  const silent = { qmp: 'timeout', qmp_age: 1 };
  assert.deepEqual(shown(0, {}, 40), ['40.00', 'bad']);
  assert.deepEqual(shown(1, silent, NaN), ['40.00', 'dim']);
  assert.deepEqual(shown(29, silent, NaN), ['40.00', 'dim']);
  assert.deepEqual(shown(31, silent, NaN), ['-', 'normal']);
  assert.deepEqual(shown(32, {}, 40), ['40.00', 'bad']);
  assert.deepEqual(shown(33, {}, NaN), ['-', 'normal'], 'no operations, while the monitor answers');
});

test('nothing of the host moves when values grow, come and go', () => {
  const hosts = [
    {
      cpu_idle: 99.5,
      cpu_iowait: 0,
      cpu_steal: 0,
      cpu_user: 0.1,
      cpu_cores: 8,
      disk_reads: 1,
      disk_await: 0.5,
      disk_util: 1,
    },
    {
      cpu_idle: 0,
      cpu_iowait: 0,
      cpu_steal: 0,
      cpu_user: 100,
      cpu_cores: 8,
      disk_reads: 123456,
      disk_util: 100,
    },
  ];
  for (const columns of [80, 120, 200]) {
    const table = control();
    const places = hosts.map((known, index) => {
      const of = sample([calm], { host: { row: row('host', known) }, time: index * 1000 });
      const lines = table.lines(of, { columns, rows: 40 }).map(text);
      return ['%BUSY', 'VCPUS', '%USER', 'READS/s', 'AWAIT', '%UTIL'].map((title) =>
        Math.max(...lines.slice(0, 3).map((line) => line.indexOf(title))),
      );
    });
    assert.deepEqual(places[1], places[0], `at ${columns}`);
    assert.ok(places[0]?.every((place) => place > 0));
  }
});

test('a bar for each CPU, narrower ones for more, and one full CPU of 256 is seen', () => {
  for (const count of [2, 8, 64, 256]) {
    const cpus = Array.from({ length: count }, (_, index) =>
      row('host_cpu', { device: String(index), cpu_busy: index === 1 ? 100 : 0 }),
    );
    for (const columns of [80, 120, 200]) {
      const of = sample([calm], { host: { row: row('host', { cpu_cores: count }), cpus } });
      const line = control()
        .lines(of, { columns, rows: 40 })
        .find((each) => text(each).startsWith('CPUS'));
      assert.ok(line, `${count} CPUs`);
      assert.ok(text(line).trimEnd().length <= columns, `${count} CPUs at ${columns}: ${text(line)}`);
      assert.equal(line.filter(({ style }) => style === 'warn').length, 1, `${count} CPUs at ${columns}`);
    }
  }
});

test('a NUMA node: how busy its CPUs are, and how much of its memory is in use', () => {
  const cpu = (device: number, cpu_busy: number): Row =>
    row('host_cpu', { device: String(device), cpu_busy });
  const node = (device: number, numa_cpus: string, available: number): Row =>
    row('host_numa', { device: String(device), numa_cpus, numa_total: 100, numa_available: available });
  const numaLine = (columns: number, numa: readonly Row[], cpus: readonly Row[]) =>
    control()
      .lines(sample([calm], { host: { row: row('host', { cpu_cores: 4 }), cpus, numa } }), {
        columns,
        rows: 40,
      })
      .find((each) => text(each).startsWith('NUMA'));
  const cpus = [cpu(0, 100), cpu(1, 50), cpu(2, 10), cpu(3, 10)];
  const two = numaLine(120, [node(0, '0-1', 50), node(1, '2-3', 2)], cpus);
  assert.equal(
    text(two ?? []).trimEnd(),
    'NUMA 0 CPU ████████░░ MEM █████░░░░░  1 CPU █░░░░░░░░░ MEM ██████████',
  );
  assert.deepEqual(
    two?.filter(({ text: drawn }) => /[█░]/.test(drawn)).map(({ style }) => style),
    ['good', 'good', 'good', 'warn'],
  );
  // Memory alone has no CPUs, and what is not known is an empty bar.
  assert.match(
    text(numaLine(120, [node(0, '0-4', 50), node(1, '', 100)], cpus) ?? []),
    /0 CPU ░+ MEM █+░+  1 CPU ░+ MEM ░+/,
  );
  assert.equal(numaLine(120, [], cpus), undefined);
  for (const columns of [80, 120, 200])
    for (const count of [2, 4, 8, 16]) {
      const nodes = Array.from({ length: count }, (_, index) => node(index, String(index), 50));
      const line = text(numaLine(columns, nodes, cpus) ?? []).trimEnd();
      assert.ok(line.length > 0 && line.length <= columns, `${count} nodes at ${columns}: ${line}`);
    }
});

test('the status line counts states, and its right edge stays where it is', () => {
  const status = {
    interval: 1,
    view: 'all',
    guests: 'all' as const,
    filter: undefined,
    sort: 'CPUS',
    descending: true,
    units: 'auto',
    unicode: true,
    note: [],
  };
  const host = { row: row('host', { host_name: 'pve1', host_uptime: 34 * 86400 }) };
  const states = [
    vm('a', { state: 'paused' }),
    vm('b', { state: 'paused' }),
    vm('c', { qmp: 'timeout', qmp_age: 60 }),
  ];
  const line = statusLine(sample(states, { host }), status, 120);
  assert.match(text(line), /^pve1 {2}all {2}VMs 3 {2}1 hung {2}2 paused {2}up 34d /);
  assert.equal(line.find((span) => span.text === '1 hung')?.style, 'bad');
  assert.equal(text(line).length, 120);
  assert.equal(
    text(statusLine(sample([], { host }), status, 120)).indexOf('sort'),
    text(line).indexOf('sort'),
  );
});

test('an empty table says why: nothing runs, cannot be read, nothing matches, has none', () => {
  const shown = (table: TableControl, of: Sample): string => table.lines(of, wide).map(text).join('\n');
  assert.match(shown(control(), sample([])), /No VM or container runs\./);
  const denied = { ...sample([]), unseen: '12 VMs cannot be read: permission denied; run as root' };
  assert.match(
    shown(control(), denied),
    /No VM or container is seen\.\n12 VMs cannot be read: permission denied; run as root/,
  );
  assert.match(shown(control('d'), sample([calm])), /None of the VMs and containers has one\./);
  const some = { ...sample([calm]), unseen: 'VMs cannot be seen' };
  assert.match(shown(control(), some), /VMs cannot be seen\nVMID/, 'above the rows that are there');
  const table = control();
  table.filter = 'x';
  assert.match(shown(table, denied), /Nothing has "x"/);
});

/** The lines of a table with the last two minutes of two guests, from the headings on. */
function withTrends(table: TableControl, columns: number, until = 120): readonly Line[] {
  const recent = new RecentValues();
  const at = (second: number): Sample => {
    const steal = { cpu_steal: second > 60 ? 60 : 0 };
    const lat = { disk_lat_avg: second > 100 ? 40 : 10 };
    const web = vm('web', { cpu_used: 3, ...steal, net_rx_mbit: 1 }, { disks: [disk('scsi0', lat)] });
    const db = vm('db', { cpu_used: 0.7 }, { disks: [disk('scsi0', { disk_lat_avg: 0 })] });
    return sample([web, db], { time: second * 1000, interval: 1 });
  };
  for (let second = 0; second <= 120; second++) recent.add(at(second));
  const lines = table.lines(at(until), { columns, rows: 40 }, { recent });
  return lines.slice(lines.findIndex((each) => /VMID/.test(text(each))));
}

test('the last two minutes of what is sorted by stand behind all columns, as wide as there is room, or not at all', () => {
  const table = control('c');
  const shown = (columns: number): string[] => withTrends(table, columns).map(text);
  const whole = shown(1000)[0]?.replace(/ 2 MIN CPUS.*/, '').length ?? NaN;
  const bars = (columns: number): string | undefined => /2 MIN CPUS *$/.exec(shown(columns)[0] ?? '')?.[0];
  assert.equal(bars(whole + 15), undefined, 'at the cost of no column');
  assert.deepEqual(
    [16, 20, 21, 31, 100].map((more) => bars(whole + more)?.length),
    [15, 15, 20, 30, 30],
  );
  // 3 and 0.7 CPUs of 5: the largest in round numbers.
  assert.deepEqual(
    shown(whole + 16)
      .slice(1)
      .map((each) => each.slice(-15)),
    ['▅'.repeat(15), '▂'.repeat(15)],
  );
});

test('each of the last two minutes is as its value is graded; percentages are of 100', () => {
  const table = control('c');
  table.sortBy('cpu_steal');
  const [heading = [], web = [], db = []] = withTrends(table, 1000);
  assert.match(text(heading), /2 MIN %RDY\/v/);
  const bars = web.slice(-30);
  assert.equal(bars.map((span) => span.text).join(''), '▁'.repeat(15) + '▅'.repeat(15));
  assert.deepEqual(
    bars.map((span) => span.style ?? ''),
    [...Array<string>(15).fill('normal'), ...Array<string>(15).fill('bad')],
  );
  assert.ok(
    bars.every(({ reverse }) => reverse === true),
    'on the row of the cursor',
  );
  assert.equal(text(db).slice(-30), ' '.repeat(30), 'not known');
});

test('disks have their own two minutes, until the moment that is shown; below an expanded VM too', () => {
  const shown = (until: number): string[] =>
    withTrends(control('d'), 1000, until).map((each) => text(each).slice(-30));
  assert.deepEqual(shown(120).slice(1), ['▂'.repeat(25) + '▇'.repeat(5), '▁'.repeat(30)]);
  assert.deepEqual(shown(100).slice(1), [' '.repeat(4) + '█'.repeat(26), ' '.repeat(4) + '▁'.repeat(26)]);
  const table = control('a');
  table.expanded.add('web');
  table.sortBy('disk_lat_avg');
  const below = withTrends(table, 1000).map(text);
  assert.match(below.find((each) => /^ *scsi0/.test(each)) ?? '', /▂+▇{5}$/);
});

test('what is not remembered has no two minutes, nor have devices of the host; without Unicode they are ASCII', () => {
  const table = control('c');
  table.sortBy('cpu_other_max');
  assert.doesNotMatch(text(withTrends(table, 1000)[0] ?? []), /2 MIN/);
  table.sortBy('name');
  assert.doesNotMatch(text(withTrends(table, 1000)[0] ?? []), /2 MIN/);
  const plain = new TableControl({ ...defaultPreferences(), view: 'c' }, () => 'ok', false);
  assert.match(text(withTrends(plain, 1000)[1] ?? []), /\+{30}$/);
});
