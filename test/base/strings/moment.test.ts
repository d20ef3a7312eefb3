import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What texts mean in a time zone, as ISO; `-` where they are no time. Another zone needs another process. */
function meanings(
  zone: string,
  now: string,
  texts: readonly string[],
  begin?: string,
): Record<string, string | undefined> {
  const source = fileURLToPath(new URL('../../../src/base/strings/moment.ts', import.meta.url));
  const program = `
    import { moment } from ${JSON.stringify(source)};
    const reference = { now: Date.parse(${JSON.stringify(now)})${begin === undefined ? '' : `, begin: Date.parse(${JSON.stringify(begin)})`} };
    const say = (time) => (time === undefined ? '-' : new Date(time).toISOString().replace(':00.000Z', 'Z'));
    console.log(JSON.stringify(Object.fromEntries(JSON.parse(process.argv[1]).map((text) => [text, say(moment(text, reference))]))));`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', program, JSON.stringify(texts)];
  const output = execFileSync(process.execPath, args, {
    env: { ...process.env, TZ: zone },
    encoding: 'utf8',
  });
  return JSON.parse(output) as Record<string, string>;
}

function check(zone: string, now: string, expected: Readonly<Record<string, string>>, begin?: string): void {
  assert.deepEqual(meanings(zone, now, Object.keys(expected), begin), expected);
}

test('times as people write them', () => {
  // A Saturday.
  check('Europe/Berlin', '2026-11-28T07:00Z', {
    '03:00': '2026-11-28T02:00Z',
    '3:00': '2026-11-28T02:00Z',
    '03:00:30': '2026-11-28T02:00:30.000Z',
    '03:00:30.250': '2026-11-28T02:00:30.250Z',
    '22:15': '2026-11-27T21:15Z',
    '08:00': '2026-11-28T07:00Z',
    now: '2026-11-28T07:00Z',
    today: '2026-11-27T23:00Z',
    'today 03:00': '2026-11-28T02:00Z',
    'yesterday 22:15': '2026-11-27T21:15Z',
    'Yesterday  at 22:15': '2026-11-27T21:15Z',
    yesterday: '2026-11-26T23:00Z',
    'mon 03:00': '2026-11-23T02:00Z',
    'Wednesday 3:00': '2026-11-25T02:00Z',
    '2026-11-28T03:00': '2026-11-28T02:00Z',
    '2026-11-28 03:00': '2026-11-28T02:00Z',
    '2026-11-28 03:00:05': '2026-11-28T02:00:05.000Z',
    '2026-11-28': '2026-11-27T23:00Z',
    '2026-11-28T02:00Z': '2026-11-28T02:00Z',
    '2026-11-28T02:00:00.002Z': '2026-11-28T02:00:00.002Z',
    '2026-11-28 02:00 UTC': '2026-11-28T02:00Z',
    '2026-11-28T03:00+01:00': '2026-11-28T02:00Z',
    '2026-11-28T03:00-0530': '2026-11-28T08:30Z',
    '20261128T0317Z': '2026-11-28T03:17Z',
    '202611280300': '2026-11-28T02:00Z',
    '1h': '2026-11-28T06:00Z',
    '-1h': '2026-11-28T06:00Z',
    '1h ago': '2026-11-28T06:00Z',
    '90 min': '2026-11-28T05:30Z',
    '1h30m': '2026-11-28T05:30Z',
    '3d2h': '2026-11-25T05:00Z',
    '2 days 3 hr ago': '2026-11-26T04:00Z',
    '2 days and 3 hours ago': '2026-11-26T04:00Z',
    '1.5h': '2026-11-28T05:30Z',
    '@1795834800': '2026-11-28T03:00Z',
    '1795834800': '2026-11-28T03:00Z',
    '1795834800000': '2026-11-28T03:00Z',
  });
});

test('texts that are not times', () => {
  const none = [
    '1 constructor',
    '2valueof',
    '',
    'x',
    '25:00',
    '03:60',
    '3',
    '1x',
    '+10m',
    '2026-13-01',
    '2026-02-30',
    '28.11.2026',
    '11/28/2026',
    '@',
    '1h 3',
    'tomorrow',
    '2026-11-28T03:00+99:00',
    '2026-11-28T24:30',
  ];
  check('UTC', '2026-11-28T07:00Z', Object.fromEntries(none.map((text) => [text, '-'])));
});

test('the end of a span follows its begin', () => {
  check(
    'UTC',
    '2026-11-28T07:00Z',
    {
      '04:00': '2026-11-28T04:00Z',
      '23:00': '2026-11-27T23:00Z',
      '+10m': '2026-11-27T22:10Z',
      '1h': '2026-11-28T06:00Z',
    },
    '2026-11-27T22:00Z',
  );
});

test('the nights in which summer time begins and ends', () => {
  check('Europe/Berlin', '2026-10-25T09:00Z', {
    // Twice: the first, in summer time. An offset or @seconds says which.
    '02:30': '2026-10-25T00:30Z',
    '03:30': '2026-10-25T02:30Z',
    '2026-10-25T02:30+01:00': '2026-10-25T01:30Z',
    '@1792891800': '2026-10-25T01:30Z',
    yesterday: '2026-10-23T22:00Z',
    today: '2026-10-24T22:00Z',
    '24h': '2026-10-24T09:00Z',
  });
  check('Europe/Berlin', '2026-03-29T09:00Z', {
    '01:30': '2026-03-29T00:30Z',
    '03:30': '2026-03-29T01:30Z',
    // Never: as the clock would show if it were not set.
    '02:30': '2026-03-29T01:30Z',
    'yesterday 12:00': '2026-03-28T11:00Z',
  });
});
