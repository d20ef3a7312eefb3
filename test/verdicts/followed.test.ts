import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Followed } from '../../src/verdicts/followed.ts';

interface Disk {
  name: string;
  version: number;
}

test('things that say that they are unchanged are not looked at, others are', () => {
  const looked: string[] = [];
  const nameOf = ({ name }: Disk): string => {
    looked.push(name);
    return name;
  };
  const followed = new Followed(
    nameOf,
    (name) => ({ name }),
    ({ version }: Disk) => version,
  );
  const disks: Disk[] = [
    { name: 'a', version: 1 },
    { name: 'b', version: 0 },
  ];
  const first = followed.follow(disks);
  assert.deepEqual(first, [{ name: 'a' }, { name: 'b' }]);
  assert.equal(followed.follow(disks), first);
  looked.length = 0;
  assert.equal(followed.follow(disks), first);
  assert.deepEqual(looked, ['b'], 'nobody knows whether b is unchanged');
  disks[0] = { name: 'c', version: 2 };
  assert.deepEqual(followed.follow(disks), [{ name: 'c' }, { name: 'b' }]);
  assert.equal(followed.get('a'), undefined);
  disks.reverse();
  const [b, c] = followed.follow(disks);
  assert.deepEqual([b, c], [{ name: 'b' }, { name: 'c' }]);
  assert.equal(c, followed.get('c'));
});
