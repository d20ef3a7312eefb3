import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeOf, BADGE_WIDTH } from '../../src/tui/values/badge.ts';
import { row } from '../formats/sample.ts';

function badge(known: Readonly<Record<string, number | string>>): string | undefined {
  const found = badgeOf(row('vm', known));
  return found && `${found.grade} ${found.text}`;
}

test('a guest that runs and is left alone has no badge', () => {
  for (const state of ['running', 'blocked', 'unknown']) assert.equal(badge({ state }), undefined, state);
  assert.equal(badge({}), undefined);
});

test('a monitor that does not answer though it should is hung, with how long; one that missed once is not', () => {
  assert.equal(badge({ qmp: 'timeout', qmp_age: 250 }), 'bad HUNG 4m');
  assert.equal(badge({ qmp: 'timeout', qmp_age: 59.9 }), 'bad HUNG 59s');
  assert.equal(badge({ qmp: 'timeout', qmp_age: 3 * 86400 }), 'bad HUNG 3d');
  assert.equal(badge({ qmp: 'timeout', qmp_age: 9 }), undefined);
  assert.equal(badge({ qmp: 'held', qmp_age: 900 }), undefined, 'another client has it');
  assert.equal(badge({ qmp: 'error', qmp_age: 900 }), undefined);
  assert.equal(badge({ qmp: 'timeout', qmp_age: 900, lock: 'backup' }), 'warn BACKUP', 'Proxmox has it');
  assert.equal(badge({ qmp: 'timeout', qmp_age: 900, lock: 'clone' }), 'bad HUNG 15m');
});

test('states come before locks, but a VM that is started for its backup is in backup', () => {
  assert.equal(badge({ state: 'paused' }), 'warn PAUSED');
  assert.equal(badge({ state: 'frozen' }), 'warn FROZEN');
  assert.equal(badge({ state: 'io-error', lock: 'backup' }), 'bad IO-ERR');
  assert.equal(badge({ state: 'running', lock: 'migrate' }), 'warn MIGRATE');
  assert.equal(badge({ state: 'finish-migrate' }), 'warn MIGRATE');
  assert.equal(badge({ state: 'prelaunch' }), 'warn PRESTART');
  assert.equal(badge({ state: 'prelaunch', lock: 'backup' }), 'warn BACKUP');
  assert.equal(badge({ lock: 'snapshot-delete' }), 'warn SNAP-DEL');
});

test('whatever text a state or a lock is, it is a text', () => {
  for (const word of ['__proto__', 'constructor', 'toString']) {
    assert.equal(badge({ state: word }), undefined);
    assert.equal(badge({ lock: word }), `warn ${word.toUpperCase().slice(0, BADGE_WIDTH)}`);
  }
});

test('every badge fits into its column', () => {
  const states =
    'debug inmigrate internal-error io-error paused postmigrate prelaunch finish-migrate restore-vm save-vm';
  for (const state of `${states} shutdown suspended watchdog guest-panicked colo pmsuspended crashed`.split(
    ' ',
  ))
    assert.ok((badgeOf(row('vm', { state }))?.text.length ?? 99) <= BADGE_WIDTH, state);
  for (const lock of 'backup clone create destroyed disk fstrim migrate mounted rollback snapshot suspending'.split(
    ' ',
  ))
    assert.ok((badgeOf(row('vm', { lock }))?.text.length ?? 99) <= BADGE_WIDTH, lock);
  assert.equal(badge({ lock: 'something-new-and-long' }), 'warn SOMETHIN');
});
