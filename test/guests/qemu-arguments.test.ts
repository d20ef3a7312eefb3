import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isQemu, parseQemuArguments } from '../../src/guests/qemu/qemu-arguments.ts';

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
  memoryPlaces: { shared: false, spread: false },
  domainDirectory: undefined,
  drives: [],
  monitor: undefined,
  ownMonitor: undefined,
  taps: [],
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
    drives: [
      { device: 'ide2', driver: 'ide-cd' },
      { device: 'scsi0', driver: 'scsi-hd', path: '/var/lib/vz/images/100/a,b.qcow2' },
    ],
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
    ...['-device', 'scsi-hd,bus=scsihw0.0,drive=drive-scsi0,id=scsi0,bootindex=100'],
    ...['-device', 'virtio-blk-pci,drive=drive-virtio0,id=virtio0'],
    ...['-device', 'scsi-cd,bus=scsihw0.0,id=scsi2'],
    ...['-blockdev', '{"driver":"raw","node-name":'],
  ];
  assert.deepEqual(parseQemuArguments(argv), {
    ...NOTHING,
    ...IDENTITY,
    memory: 1024 * MIB,
    drives: [
      { device: 'scsi0', driver: 'scsi-hd', path: '/dev/pve/vm-100-disk-0' },
      { device: 'virtio0', driver: 'virtio-blk-pci' },
      { device: 'scsi2', driver: 'scsi-cd' },
    ],
  });
});

test('libvirt', () => {
  const argv = [
    ...['/usr/bin/qemu-system-x86_64', '-name', 'guest=db,,1,debug-threads=on', '-S'],
    ...['-m', 'size=2097152k', '--uuid', '6E26D5A1-2B7F-4B0E-9C1D-0123456789AB'],
    ...['-blockdev', '{"driver":"file","node-name":"libvirt-1-storage","filename":"/srv/db.img"}'],
    ...['-blockdev', '{"node-name":"libvirt-1-format","driver":"raw","file":"libvirt-1-storage"}'],
    ...['-device', '{"driver":"virtio-blk-pci","drive":"libvirt-1-format","id":"virtio-disk0"}'],
    ...['-netdev', '{"type":"tap","ifname":"vnet3","id":"hostnet0"}'],
    ...['-smbios', 'type=0,uuid=no'],
  ];
  assert.deepEqual(parseQemuArguments(argv), {
    ...NOTHING,
    name: 'db,1',
    uuid: IDENTITY.uuid,
    memory: 2048 * MIB,
    drives: [{ device: 'virtio-disk0', driver: 'virtio-blk-pci', path: '/srv/db.img' }],
    taps: ['vnet3'],
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

test('DIMMs that are plugged from the start are memory; NVDIMMs and virtio-mem are not', () => {
  const memory = (...argv: string[]): number | undefined => parseQemuArguments(['kvm', ...argv]).memory;
  const size = ['-m', 'size=1024,slots=255,maxmem=4194304M'];
  // Proxmox VE with hotplug of memory and NUMA, as its own tests have it.
  const dimms = [
    ...['-object', 'memory-backend-ram,id=ram-node0,size=1024M'],
    ...['-numa', 'node,nodeid=0,cpus=0,memdev=ram-node0'],
    ...[
      '-object',
      'memory-backend-ram,id=mem-dimm0,size=512M',
      '-device',
      'pc-dimm,id=dimm0,memdev=mem-dimm0,node=0',
    ],
    ...[
      '-object',
      'memory-backend-ram,id=mem-dimm1,size=1G',
      '-device',
      'pc-dimm,id=dimm1,memdev=mem-dimm1,node=0',
    ],
  ];
  assert.equal(memory(...size, ...dimms), 2560 * MIB);
  const libvirt = [
    ...['-object', '{"qom-type":"memory-backend-ram","id":"memdimm0","size":536870912}'],
    ...['-device', '{"driver":"pc-dimm","node":0,"memdev":"memdimm0","id":"dimm0","slot":0}'],
  ];
  assert.equal(memory(...size, ...libvirt), 1536 * MIB);
  const others = [
    ...[
      '-object',
      'memory-backend-file,id=n0,size=2G,mem-path=/srv/pmem,share=on',
      '-device',
      'nvdimm,memdev=n0',
    ],
    ...[
      '-object',
      'memory-backend-ram,id=v0,size=4G',
      '-device',
      'virtio-mem-pci,memdev=v0,requested-size=1G',
    ],
  ];
  assert.equal(memory(...size, ...others), 1024 * MIB);
  assert.equal(memory(...size, '-device', 'pc-dimm,memdev=nowhere'), undefined, 'its size is not known');
});

test('memory that is shared with other processes and can be swapped out', () => {
  for (const [object, shared] of [
    ['memory-backend-memfd,id=m,size=64M', true],
    ['memory-backend-memfd,id=m,size=64M,share=on', true],
    ['memory-backend-memfd,id=m,size=64M,share=off', false],
    ['memory-backend-memfd,id=m,size=64M,hugetlb=on', false],
    ['memory-backend-file,id=m,size=64M,mem-path=/dev/shm,share=on', true],
    ['memory-backend-file,id=m,size=64M,mem-path=/dev/shm', false],
    ['memory-backend-ram,id=m,size=64M', false],
    ['qom-type=memory-backend-shm,id=m,size=64M', true],
    ['{"qom-type":"memory-backend-memfd","id":"pc.ram","share":true,"size":67108864}', true],
    ['{"qom-type":"memory-backend-memfd","id":"pc.ram","hugetlb":true,"size":67108864}', false],
    ['rng-random,id=r,share=on', false],
    ['{"qom-type":', false],
  ] as const) {
    assert.equal(parseQemuArguments(['kvm', '-object', object]).memoryPlaces.shared, shared, object);
  }
});

test('memory is spread on purpose over several nodes of the guest, and where it is interleaved', () => {
  const spread = (...argv: string[]): boolean => parseQemuArguments(['kvm', ...argv]).memoryPlaces.spread;
  const node = (id: number): string[] => ['-numa', `node,nodeid=${id},cpus=${id},memdev=ram-node${id}`];
  const backend = (policy: string): string =>
    `memory-backend-ram,id=ram-node0,size=512M,host-nodes=0-1,policy=${policy}`;
  assert.ok(!spread());
  assert.ok(!spread(...node(0), '-object', backend('bind')));
  assert.ok(!spread(...node(0), '-numa', 'dist,src=0,dst=0,val=10', '-numa', 'cpu,node-id=0,socket-id=0'));
  assert.ok(spread(...node(0), ...node(1)));
  assert.ok(spread(...node(0), '-object', backend('interleave')));
  const json = { 'qom-type': 'memory-backend-ram', id: 'pc.ram', 'host-nodes': [0, 1], policy: 'interleave' };
  assert.ok(spread('-object', JSON.stringify(json)));
  assert.ok(!spread('-object', 'iothread,id=x,policy=interleave'));
});

test('the directory of a domain, told by the key of its secrets or its monitor', () => {
  const directory = (...argv: string[]): unknown => parseQemuArguments(['kvm', ...argv]).domainDirectory;
  const key = '/var/lib/libvirt/qemu/domain-12-a name-with-d/master-key.aes';
  const found = { id: 12, name: 'a name-with-d' };
  assert.deepEqual(directory('-object', `{"qom-type":"secret","id":"masterKey0","file":"${key}"}`), found);
  assert.deepEqual(directory('-object', `secret,id=masterKey0,format=raw,file=${key}`), found);
  const monitor = '/var/lib/libvirt/qemu/domain-3-web/monitor.sock';
  assert.deepEqual(directory('-chardev', `socket,id=charmonitor,path=${monitor},server=on`), {
    id: 3,
    name: 'web',
  });
  assert.equal(directory('-chardev', 'socket,id=a,path=/srv/domain-x-web/monitor.sock'), undefined);
});

test('a monitor that was made for proxtop, beside that of Proxmox VE and the connection to its daemon', () => {
  const proxmox = [
    ...['-chardev', 'socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off'],
    ...['-mon', 'chardev=qmp,mode=control'],
    ...['-chardev', 'socket,id=qmp-event,path=/var/run/qmeventd.sock,reconnect=5'],
    ...['-mon', 'chardev=qmp-event,mode=control'],
  ];
  const of = (...argv: string[]): unknown => parseQemuArguments(['kvm', ...proxmox, ...argv]).ownMonitor;
  assert.equal(of(), undefined);
  for (const path of [
    ...['/run/qemu-server/100-proxtop.qmp', '/run/proxtop/100.qmp', '/run/proxtop-qmp/100', '/proxtop'],
  ]) {
    assert.equal(of('-qmp', `unix:${path},server=on,wait=off`), path);
    assert.equal(
      of('-chardev', `socket,id=p,path=${path},server=on`, '-mon', 'chardev=p,mode=control'),
      path,
    );
    // No monitor, one that waits for nobody, one that is written for people.
    assert.equal(of('-chardev', `socket,id=p,path=${path},server=on`), undefined);
    assert.equal(of('-qmp', `unix:${path}`), undefined);
    assert.equal(of('-mon', `chardev=p`, '-chardev', `socket,id=p,path=${path},server=on`), undefined);
  }
  assert.equal(of('-qmp', 'unix:/srv/proxtop/lab/run/other.qmp,server=on'), undefined);
});

test('a UUID that is none does not count, and a name has an end', () => {
  const of = (...argv: string[]): unknown[] => {
    const { uuid, name } = parseQemuArguments(['kvm', ...argv]);
    return [uuid, name];
  };
  const { uuid } = IDENTITY;
  for (const wrong of [
    ...['', 'x', uuid.slice(1), `${uuid}0`, `${uuid}\n`, uuid.replaceAll('-', ''), `{${uuid}}`, '\u001b[31m'],
    ...['a'.repeat(100_000), '00000000-0000-0000-0000-000000000000'],
  ]) {
    assert.deepEqual(of('-uuid', wrong), [undefined, undefined], wrong.slice(0, 40));
    assert.deepEqual(of('-uuid', uuid, '-smbios', `type=1,uuid=${wrong}`), [uuid, undefined]);
  }
  assert.deepEqual(of('-name', ''), [undefined, undefined]);
  assert.deepEqual(of('-name', 'n'.repeat(100_000)), [undefined, 'n'.repeat(255)]);
  assert.deepEqual(of('-name', `${'n'.repeat(254)}\u{1f680}`), [undefined, 'n'.repeat(254)]);
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
