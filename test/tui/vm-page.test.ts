import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveThresholds } from '../../src/config/thresholds.ts';
import { judge } from '../../src/tui/analysis/grade.ts';
import { MomentMaker } from '../../src/tui/moments/moment-maker.ts';
import { VmPage } from '../../src/tui/pages/vm.ts';
import type { Line } from '../../src/tui/screen/spans.ts';
import { row } from '../formats/sample.ts';
import { disk, sample, vm } from './samples.ts';

const thresholds = resolveThresholds(new Map());
const size = { columns: 80, rows: 24 };

test('a value of the page of a VM is chosen with arrows, and w explains it, the worst one at first', () => {
  const slow = disk('scsi1', { disk_reads: 5, disk_lat_rd: 90 });
  const devices = {
    disks: [disk('scsi0', { disk_reads: 7 }), slow],
    nics: [row('vm_nic', { device: 'tap0' })],
  };
  const known = { cpu_total: 20, cpu_steal: 7, ram_rss: 2 ** 30 };
  const maker = new MomentMaker();
  let moment = maker.take(sample([vm('a', known, devices)]));
  const explained: string[] = [];
  const page = new VmPage('a', 'a', {
    moment: () => moment,
    units: () => 'auto',
    judge: (id, value, of) => judge(thresholds, id, value, of),
    unicode: true,
    explain: ({ id }, of) => explained.push(`${id} ${of()?.texts.join('') ?? 'gone'}`.trim()),
  });
  const marked = (): string[] =>
    page
      .lines(size)
      .flatMap((line: Line) => line.filter(({ reverse }) => reverse).map(({ text }) => text.trim()));
  const press = (name: string): string => page.press({ name });
  assert.deepEqual([marked(), page.cursor], [[], undefined], 'nothing is chosen until a key does');
  assert.equal(press('w'), 'used');
  assert.match(explained.join(), /^disk_lat_rd scsi1/);
  press('down');
  assert.deepEqual(marked(), ['90.00'], 'red comes before yellow');
  press('up');
  assert.deepEqual(marked(), ['-'], 'the same value of the disk above');
  press('w');
  assert.match(explained.at(-1) ?? '', /^disk_lat_rd scsi0/);
  for (let count = 0; count < 50; count++) press('down');
  press('w');
  assert.match(explained.at(-1) ?? '', /^ram_rss/, 'the last line of all');
  moment = maker.take(sample([vm('b'), vm('a', known, devices)]));
  marked();
  press('w');
  assert.match(explained.at(-1) ?? '', /^ram_rss .*uuid-a/, 'it stays the same value');
  assert.equal(press('pagedown'), 'unused');
  assert.deepEqual(marked(), []);
  assert.equal(press('q'), 'unused');
});
