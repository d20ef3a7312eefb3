import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagePath } from '../../src/qmp/image-path.ts';

const json = (value: unknown): string => `json:${JSON.stringify(value)}`;

test('a file or device, by itself or below its layers', () => {
  for (const [filename, path] of [
    ['/srv/a.qcow2', '/srv/a.qcow2'],
    ['disk.img', 'disk.img'],
    ['./a:b', './a:b'],
    ['/dev/pve/vm-100-disk-0', '/dev/pve/vm-100-disk-0'],
    [json({ driver: 'throttle', file: { driver: 'raw', file: { driver: 'file', filename: '/a' } } }), '/a'],
  ] as const) {
    assert.equal(imagePath(filename), path, filename);
  }
});

test('what is elsewhere, has no name here, or is told in part', () => {
  for (const filename of [
    ...['', 'nbd://host:10809/disk', 'nbd:unix:/run/nbd.sock', 'rbd:pool/disk', 'iscsi://host/iqn/0'],
    ...['/dev/fdset/2', json({ driver: 'null-co', size: 4096 }), json({ file: { filename: 'nbd://h/d' } })],
    ...[json({ driver: 'file', filename: '/a' }).slice(0, 20), 'json:', 'json:null', 'json:5', json([{}])],
    json({ file: { filename: 5, file: 'x' } }),
    ...[`/${'a'.repeat(4096)}`, `json:${'{"file":'.repeat(100_000)}`],
  ]) {
    assert.equal(imagePath(filename), undefined, filename.slice(0, 80));
  }
});
