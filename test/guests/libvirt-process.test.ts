import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processOf } from '../../src/guests/libvirt/libvirt-process.ts';
import { parseQemuArguments } from '../../src/guests/qemu/qemu-arguments.ts';
import type { QemuProcess } from '../../src/guests/qemu/qemu-finder.ts';

const UUID = '15e85af9-eb2c-4d5c-a7fb-53929ebb6634';
const OTHER = '11111111-2222-3333-4444-555555555555';
const web = { id: 3, name: 'web', uuid: UUID };

/** A QEMU as libvirt 9.0.0 starts it; arguments of the user come last. */
function started(pid: number, id: number, name: string, uuid: string, ...more: string[]): QemuProcess {
  const key = `/var/lib/libvirt/qemu/domain-${id}-${name.slice(0, 20)}/master-key.aes`;
  const argv = [
    ...['/usr/bin/qemu-system-x86_64', '-name', `guest=${name},debug-threads=on`, '-S'],
    ...['-object', `{"qom-type":"secret","id":"masterKey0","format":"raw","file":"${key}"}`],
    ...['-uuid', uuid, '-chardev', 'socket,id=charmonitor,fd=25,server=on,wait=off', ...more],
  ];
  return { pid, args: parseQemuArguments(argv) };
}
const plain = (pid: number, ...argv: string[]): QemuProcess => ({
  pid,
  args: parseQemuArguments(['kvm', ...argv]),
});

test('a domain is known by directory and name, whatever the UUID of its QEMU', () => {
  const db = started(11, 4, 'db', OTHER);
  for (const own of [
    started(10, 3, 'web', UUID),
    started(10, 3, 'web', UUID, '-smbios', `type=1,uuid=${OTHER}`),
    started(10, 3, 'web', UUID, '-uuid', OTHER),
    started(10, 3, 'web', UUID, '-name', 'something else'),
  ]) {
    assert.equal(processOf(web, [db, own])?.pid, 10);
    assert.equal(processOf({ id: 4, name: 'db', uuid: OTHER }, [own, db])?.pid, 11);
  }
});

test('a long name is cut in the directory', () => {
  const name = 'a name that is much longer than twenty characters';
  assert.equal(processOf({ ...web, name }, [started(10, 3, name, UUID)])?.pid, 10);
  assert.equal(
    processOf({ ...web, name: 'n'.repeat(300) }, [started(10, 3, 'n'.repeat(300), UUID)])?.pid,
    10,
  );
});

test('another run of the domain, and another domain with its UUID, are not it', () => {
  assert.equal(processOf(web, [started(10, 2, 'web', UUID)]), undefined);
  assert.equal(processOf(web, [started(10, 3, 'db', UUID)]), undefined);
  assert.equal(processOf(web, [plain(10, '-uuid', UUID)]), undefined);
  assert.equal(processOf(web, []), undefined);
});

test('of two libvirts on one host the UUID tells which it is; where nothing does, none is taken', () => {
  const ours = started(10, 3, 'web', UUID);
  assert.equal(processOf(web, [started(11, 3, 'web', OTHER), ours])?.pid, 10);
  assert.equal(processOf(web, [plain(11, '-name', 'web', '-uuid', UUID), ours])?.pid, 10);
  assert.equal(processOf(web, [started(11, 3, 'web', UUID), ours]), undefined);
});

test('without a directory the name must do', () => {
  assert.equal(processOf(web, [plain(10, '-name', 'guest=web')])?.pid, 10);
});
