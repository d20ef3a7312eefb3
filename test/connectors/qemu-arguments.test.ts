import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isQemu, parseQemuArguments } from '../../src/connectors/qemu-arguments.ts';

const MIB = 2 ** 20;

/** The front of every command line of Proxmox VE. */
const front = (program: string, name: string): string[] => [
  ...[program, '-id', '100', '-name', name, '-no-shutdown'],
  ...['-chardev', 'socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off'],
  ...['-mon', 'chardev=qmp,mode=control', '-pidfile', '/var/run/qemu-server/100.pid', '-daemonize'],
  ...['-smbios', 'type=1,uuid=6E26D5A1-2B7F-4B0E-9C1D-0123456789AB,serial=A'],
];

/** What a command line without any option tells. */
const NOTHING: ReturnType<typeof parseQemuArguments> = {
  pidFile: undefined,
  name: undefined,
  uuid: undefined,
  cpus: 1,
  memory: undefined,
  images: new Map(),
  monitor: undefined,
  taps: [],
  cdroms: new Set(),
};

const IDENTITY = {
  pidFile: '/var/run/qemu-server/100.pid',
  name: 'web-1',
  uuid: '6e26d5a1-2b7f-4b0e-9c1d-0123456789ab',
  monitor: '/var/run/qemu-server/100.qmp',
};

test('Proxmox VE, machine version before 10.0: -drive', () => {
  const argv = [
    ...front('/usr/bin/kvm', 'web-1,debug-threads=on'),
    ...['-smp', '2,sockets=1,cores=2,maxcpus=2', '-nodefaults', '-m', '4096'],
    ...['-device', 'virtio-balloon-pci,id=balloon0,bus=pci.0,addr=0x3'],
    ...['-drive', 'if=none,id=drive-ide2,media=cdrom,aio=io_uring'],
    ...['-device', 'ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2,bootindex=101'],
    ...['-drive', 'file=/var/lib/vz/images/100/a,,b.qcow2,if=none,id=drive-scsi0,format=qcow2,cache=none'],
    ...['-device', 'scsi-hd,bus=scsihw0.0,scsi-id=0,drive=drive-scsi0,id=scsi0,bootindex=100'],
    ...['-drive', 'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/pve-edk2-firmware/OVMF_CODE.fd'],
    ...['-machine', 'type=pc+pve0'],
  ];
  assert.deepEqual(parseQemuArguments(argv), {
    ...NOTHING,
    ...IDENTITY,
    cpus: 2,
    memory: 4096 * MIB,
    images: new Map([['drive-scsi0', '/var/lib/vz/images/100/a,b.qcow2']]),
    cdroms: new Set(['ide2']),
  });
});

test('Proxmox VE, machine version 10.0 and later: -blockdev', () => {
  const layers = (drive: string, bottom: object): string =>
    JSON.stringify({
      driver: 'throttle',
      file: { driver: 'raw', file: { ...bottom, 'node-name': 'e1' }, 'node-name': 'f1', 'read-only': false },
      'node-name': drive,
      'throttle-group': `throttle-${drive}`,
    });
  const argv = [
    ...front('/usr/bin/kvm', 'web-1'),
    ...['-m', 'size=1024,slots=255,maxmem=4194304M'],
    ...['-object', '{"id":"throttle-drive-scsi0","limits":{},"qom-type":"throttle-group"}'],
    ...['-blockdev', layers('drive-scsi0', { driver: 'host_device', filename: '/dev/pve/vm-100-disk-0' })],
    ...['-blockdev', layers('drive-virtio0', { driver: 'rbd', pool: 'ceph', image: 'vm-100-disk-1' })],
    ...['-device', 'scsi-cd,bus=scsihw0.0,id=scsi2'],
    ...['-blockdev', '{"driver":"raw","node-name":'],
  ];
  assert.deepEqual(parseQemuArguments(argv), {
    ...NOTHING,
    ...IDENTITY,
    memory: 1024 * MIB,
    images: new Map([['drive-scsi0', '/dev/pve/vm-100-disk-0']]),
    cdroms: new Set(['scsi2']),
  });
});

test('libvirt', () => {
  const argv = [
    ...['/usr/bin/qemu-system-x86_64', '-name', 'guest=db,,1,debug-threads=on', '-S'],
    ...['-m', 'size=2097152k', '--uuid', '6E26D5A1-2B7F-4B0E-9C1D-0123456789AB'],
    ...['-blockdev', 'driver=file,node-name=libvirt-1-storage,filename=/srv/db.img'],
    ...['-smbios', 'type=0,uuid=no'],
  ];
  assert.deepEqual(parseQemuArguments(argv), {
    ...NOTHING,
    name: 'db,1',
    uuid: IDENTITY.uuid,
    memory: 2048 * MIB,
    images: new Map([['libvirt-1-storage', '/srv/db.img']]),
  });
});

test('forms of -m', () => {
  for (const [value, bytes] of [
    ['512', 512 * MIB],
    ['512M', 512 * MIB],
    ['512m', 512 * MIB],
    ['2G', 2048 * MIB],
    ['1T', 2 ** 40],
    ['1048576K', 1024 * MIB],
    ['536870912B', 512 * MIB],
    ['size=4G,slots=4,maxmem=8G', 4096 * MIB],
    ['4096,slots=4,maxmem=8G', 4096 * MIB],
    ['slots=4', undefined],
    ['much', undefined],
  ] as const) {
    assert.equal(parseQemuArguments(['kvm', '-m', value]).memory, bytes, value);
  }
});

test('what is not told is left out, and an option without its value is no error', () => {
  for (const argv of [
    [],
    ['kvm'],
    ['kvm', '-name'],
    ['kvm', '-drive', 'file=/a'],
    ['kvm', '-device', 'scsi-cd'],
  ]) {
    assert.deepEqual(parseQemuArguments(argv), NOTHING, argv.join(' '));
  }
});

test('the value of one option is not taken for another', () => {
  assert.deepEqual(parseQemuArguments(['kvm', '-name', '-m', '-m', '1']), {
    ...NOTHING,
    name: '-m',
    memory: MIB,
  });
});

test('QEMU is known by its program', () => {
  for (const program of ['kvm', '/usr/bin/kvm', '/usr/bin/qemu-system-aarch64', 'qemu-kvm']) {
    assert.ok(isQemu([program, '-id', '100']), program);
  }
  for (const argv of [[], [''], ['/usr/bin/vim', '/etc/kvm'], ['/opt/qemu-7/bin/sh'], ['kvm-ok']]) {
    assert.ok(!isQemu(argv), argv.join(' '));
  }
});
