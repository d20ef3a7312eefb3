import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseMountinfo } from '../../src/kernel/pid/proc-pid-mountinfo.ts';

test('agrees with findmnt about this machine', () => {
  const text = execFileSync('findmnt', ['--kernel', '--raw', '--noheadings', '-o', 'MAJ:MIN,TARGET,FSTYPE'], {
    encoding: 'utf8',
  });
  const listed = text.trimEnd().split('\n');
  const parsed = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  assert.deepEqual(
    parsed.map(({ point, type }) => `${point} ${type}`).sort(),
    listed.map((line) => line.split(' ').slice(1).join(' ')).sort(),
  );
  assert.equal(parsed.find(({ point }) => point === '/proc')?.major, 0);
});

test('takes fields that may be missing, and escaped names', () => {
  const text =
    '36 35 98:0 /mnt1 /mnt\\0402\\134x rw,noatime master:1 propagate_from:2 - ext3 /dev/root\\040a rw\n' +
    'nonsense\n37 35 0:5 / /b rw - tmpfs none rw\n';
  assert.deepEqual(parseMountinfo(text), [
    {
      id: 36,
      device: '98:0',
      major: 98,
      root: '/mnt1',
      point: '/mnt 2\\x',
      type: 'ext3',
      source: '/dev/root a',
    },
    { id: 37, device: '0:5', major: 0, root: '/', point: '/b', type: 'tmpfs', source: 'none' },
  ]);
  assert.deepEqual(parseMountinfo(''), []);
});
