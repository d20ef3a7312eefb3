import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlamePage } from '../../src/tui/pages/blame.ts';
import type { Line } from '../../src/tui/screen/spans.ts';
import { verdictLines } from '../../src/tui/table/verdict-lines.ts';
import { Verdicts } from '../../src/verdicts/verdicts.ts';
import { sampleAt, verdictsAfter } from '../verdicts/world.ts';
import type { World } from '../verdicts/world.ts';

const starved: World = {
  host: { cpu_idle: 0 },
  guests: {
    '3102 pg': { cpu_total: 30, cpu_steal: 40, cpu_steal_max: 40 },
    '3100 ci': { cpu_cores: 8, cpu_total: 80 },
    '3107 hung-db': { qmp: 'timeout', qmp_age: 240, cpu_total: 0 },
    '3103 shop': { state: 'io-error' },
    '3105 web': { cpu_cores: 2, cpu_total: 50, cpu_steal: 50, cpu_throttled: 98 },
  },
};

function text(line: Line): string {
  return line.map((span) => span.text).join('');
}

test('one to three lines, one in a small terminal, none in a tiny one, none when all is well', () => {
  const verdicts = verdictsAfter(30, starved);
  const lines = (columns: number, rows: number): string[] =>
    verdictLines(verdicts, { columns, rows }).map(text);
  assert.deepEqual(lines(120, 38), [
    '! 3107 hung-db does not answer for 4 min',
    '! 3103 shop stopped: disk error (storage full or gone)',
    '! 3102 pg RDY 40 %: 3100 ci 80 %, 3105 web 13 %  +1 more (b)',
  ]);
  assert.deepEqual(lines(40, 8), ['! 3107 hung-db does not ans  +3 more (b)']);
  assert.deepEqual(lines(20, 3), []);
  assert.deepEqual(
    verdictLines(verdicts, { columns: 120, rows: 38 }).map((line) => line[0]?.style),
    ['bad', 'bad', 'bad'],
  );
  const [own] = verdictLines(verdicts.slice(3), { columns: 120, rows: 38 });
  assert.deepEqual([own?.[0]?.style, text(own ?? [])], ['warn', '  3105 web at its CPU limit (waits 50 %)']);
  assert.deepEqual(verdictLines(verdictsAfter(30, { guests: {} }), { columns: 80, rows: 24 }), []);
});

test('the blame page says the same, with victims beside those who take most', () => {
  const verdicts = new Verdicts();
  const page = new BlamePage(() => ({ verdicts: verdicts.now, isWarm: verdicts.isWarm }));
  const shown = (columns: number): string[] => page.lines({ columns, rows: 40 }).map(text);
  verdicts.add(sampleAt({ guests: { 3102: {} } }, 0));
  assert.deepEqual(shown(80), ['More can be said after ten seconds of samples.']);
  for (let second = 0; second <= 30; second++) verdicts.add(sampleAt(starved, second));
  const at = shown(100).indexOf('! 3102 pg RDY 40 %: 3100 ci 80 %, 3105 web 13 %');
  assert.deepEqual(
    shown(100)
      .slice(at + 1, at + 6)
      .map((line) => line.trimEnd()),
    [
      'Suffering                  Taking most',
      'VM VMID DEVICE SUFFERS     VM                VMID SHARE AMOUNT',
      'pg 3102        RDY 40 %    ci                3100 80%   640 % CPU',
      '                           web               3105 13%   100 % CPU',
      '                           pg                3102 4%    30 % CPU',
    ],
  );
  assert.ok(shown(40).length > shown(100).length, 'below each other where it is narrow');
  assert.match(shown(100).at(-1) ?? '', /a hint, no proof/);
});

test('of a healthy host the blame page says that nobody suffers', () => {
  const verdicts = new Verdicts();
  for (let second = 0; second <= 12; second++) verdicts.add(sampleAt({ guests: { 100: {} } }, second));
  assert.deepEqual(
    new BlamePage(() => ({ verdicts: verdicts.now, isWarm: verdicts.isWarm }))
      .lines({ columns: 80, rows: 24 })
      .map(text),
    ['No VM or container suffers.'],
  );
});
