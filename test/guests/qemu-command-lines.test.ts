import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQemuArguments, runsVm } from '../../src/guests/qemu/qemu-arguments.ts';

const QEMU = 'qemu-system-x86_64';
const of = (...argv: string[]): ReturnType<typeof parseQemuArguments> => parseQemuArguments([QEMU, ...argv]);

test('a process that runs a VM', () => {
  for (const argv of [
    ['/opt/kata/bin/qemu-system-x86_64', '-name', 'sandbox-1'],
    ['/usr/libexec/qemu-kvm', '-machine', 'pc-q35-rhel9.4.0'],
    ['/usr/bin/kvm', '-M', 'type=q35'],
    [QEMU],
  ]) {
    assert.ok(runsVm(argv), argv.join(' '));
  }
});

test('a process that runs none: tools, and QEMU asked what it can do', () => {
  for (const argv of [
    [],
    ['/usr/bin/qemu-img', 'convert', 'a', 'b'],
    ['qemu-storage-daemon', '--blockdev', 'driver=null-co,node-name=a'],
    ['/usr/bin/qemu-nbd', '-c', '/dev/nbd0', 'kvm'],
    ['qemu-ga'],
    ['kvm-ok'],
    ['bash', '-c', 'qemu-system-x86_64'],
    [QEMU, '-S', '-nodefaults', '-machine', 'none,accel=kvm:tcg', '-daemonize'],
    [QEMU, '-M', 'none'],
    [QEMU, '--machine', 'type=none'],
  ]) {
    assert.ok(!runsVm(argv), argv.join(' '));
  }
});

test('forms of -name', () => {
  for (const [value, name] of [
    ['web', 'web'],
    ['web,debug-threads=on', 'web'],
    ['guest=web 1,debug-threads=on', 'web 1'],
    ['debug-threads=on,guest=web', 'web'],
    ['a,,b', 'a,b'],
    ['web,process=qemu-web', 'web'],
  ] as const) {
    assert.equal(of('-name', value).name, name, value);
  }
});

test('forms of -smp', () => {
  for (const [value, cpus] of [
    ['4', 4],
    ['2,maxcpus=8', 2],
    ['cpus=3,sockets=3', 3],
    ['sockets=2,cores=3,threads=2', 12],
    ['drawers=2,books=2,modules=2,clusters=2,dies=2', 32],
    ['maxcpus=8', 8],
    ['maxcpus=8,cores=2', 8],
    ['many', undefined],
  ] as const) {
    assert.equal(of('-smp', value).cpus, cpus, value);
  }
  assert.equal(of().cpus, 1);
  assert.equal(of('-smp', '2', '-smp', 'cores=4,maxcpus=4').cpus, 2);
  assert.equal(of('-smp', 'cores=4', '-smp', 'sockets=2').cpus, 8);
});

test('forms of -m', () => {
  for (const [value, bytes] of [
    ['1.5G', 1.5 * 2 ** 30],
    ['size=256M,maxmem=1G', 2 ** 28],
  ] as const) {
    assert.equal(of('-m', value).memory, bytes, value);
  }
});

test('a QMP monitor on a unix socket that takes any client', () => {
  for (const argv of [
    ['-qmp', 'unix:/run/a.qmp,server=on,wait=off'],
    ['-qmp', 'unix:/run/a.qmp,server,nowait'],
    ['-chardev', 'socket,id=m,path=/run/a.qmp,server=on,wait=off', '-mon', 'chardev=m,mode=control'],
    ['-mon', 'm,mode=control', '-chardev', 'socket,path=/run/a.qmp,server=yes,id=m'],
    ['-qmp', 'tcp:127.0.0.1:4444,server=on', '-qmp', 'unix:/run/a.qmp,server=on'],
    ['-qmp', 'unix:path=/run/a.qmp,server=on,wait=off'],
    ['-qmp', 'unix:fd=3,server=on,wait=off', '-qmp', 'unix:server=on,path=/run/a.qmp'],
    ['-chardev', 'socket,id=q,path=/run/a.qmp,server=on,wait=off', '-qmp', 'chardev:q'],
    [
      ...['-chardev', 'socket,id=a,fd=25,server=on,wait=off', '-mon', 'chardev=a,mode=control'],
      ...['-chardev', 'socket,id=b,path=/run/a.qmp,server=on,wait=off', '-mon', 'chardev=b,mode=control'],
    ],
    [
      ...['-chardev', 'socket,id=a,host=::1,port=4444,server=on', '-mon', 'chardev=a,mode=control'],
      ...['-chardev', 'socket,id=b,path=/run/a.qmp,server=on,wait=off', '-mon', 'chardev=b,mode=control'],
    ],
    ['-chardev', 'socket,id=q,path=/run/a.qmp', '-qmp', 'chardev:q', '-qmp', 'unix:/run/a.qmp,server=on'],
  ]) {
    assert.equal(of(...argv).monitor, '/run/a.qmp', argv.join(' '));
  }
  assert.equal(of('-qmp', 'unix:a b.qmp,server=on').monitor, 'a b.qmp');
  assert.equal(of('-qmp', 'unix:path=a,,b=c.qmp,server=on').monitor, 'a,b=c.qmp');
});

test('a monitor that is not for us', () => {
  for (const argv of [
    ['-qmp', 'unix:/run/a.qmp'],
    ['-qmp', 'unix:/run/a.qmp,server=off'],
    ['-qmp', 'unix:name,server=on,abstract=on'],
    ['-qmp', 'tcp:127.0.0.1:4444,server=on,wait=off'],
    ['-qmp', 'stdio'],
    ['-qmp', 'unix:fd=3,server=on,wait=off'],
    ['-qmp', 'unix:,server=on'],
    ['-qmp', 'chardev:q', '-chardev', 'socket,id=q,fd=3,server=on'],
    ['-qmp', 'chardev:q', '-chardev', 'socket,id=other,path=/run/a.qmp,server=on'],
    ['-qmp-pretty', 'unix:/run/a.qmp,server=on'],
    ['-mon', 'm,mode=control,pretty', '-chardev', 'socket,path=/run/a.qmp,server=on,id=m'],
    ['-monitor', 'unix:/run/a.hmp,server=on,wait=off'],
    ['-chardev', 'socket,id=m,path=/run/a.hmp,server=on', '-mon', 'chardev=m'],
    ['-chardev', 'socket,id=m,fd=24,server=on,wait=off', '-mon', 'chardev=m,mode=control'],
    ['-chardev', 'socket,id=serial,path=/run/a.serial,server=on', '-serial', 'chardev:serial'],
  ]) {
    assert.equal(of(...argv).monitor, undefined, argv.join(' '));
  }
});

test('taps by name; those handed over as descriptors have none', () => {
  assert.deepEqual(
    of('-netdev', 'tap,id=n0,ifname=tap7,script=no', '-nic', 'tap,ifname=tap8', '-netdev', 'tap,id=n2,fd=30')
      .taps,
    ['tap7', 'tap8'],
  );
});
