import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevices } from '../../src/guests/libvirt/libvirt-xml.ts';
import { capture } from '../libvirt/captures.ts';

test('a domain with a disk and nothing else', () => {
  const { xml } = capture('DOMAIN_GET_XML_DESC (14) lv7').decoded as { readonly xml: string };
  assert.ok(xml.includes("<target dev='vda'"));
  assert.deepEqual(readDevices(xml), {
    ...readDevices(''),
    diskLimits: new Map([['vda', {}]]),
  });
});

/** As libvirt 9.0.0 writes devices. */
const devices = `  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu'/>
      <target dev='hda' bus='ide'/>
      <readonly/>
    </disk>
    <disk type='block' device='floppy'>
      <target dev='fda' bus='fdc' tray='open'/>
    </disk>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:01'/>
      <source bridge='br0'/>
      <target dev='vnet0'/>
    </interface>
    <interface type='direct' trustGuestRxFilters='yes'>
      <source network='lan' dev='eno1' mode='bridge'/>
      <target dev='macvtap0'/>
    </interface>
    <interface type='hostdev' managed='yes'>
      <mac address='52:54:00:00:00:02'/>
    </interface>
  </devices>
`;

test('CD-ROM and floppy drives, and interfaces', () => {
  assert.deepEqual(readDevices(`<domain>\n${devices}</domain>\n`), {
    removable: new Set(['hda', 'fda']),
    nics: [
      { device: 'vnet0', end: 'host' },
      { device: 'macvtap0', end: 'guest' },
    ],
    diskLimits: new Map([['vda', {}]]),
    cpu: {},
    hugePages: false,
    balloonStats: false,
  });
});

test('what users wrote is not taken for devices', () => {
  const metadata = `<metadata><a:disk x="<disk device='cdrom'>"><devices><disk y=" device='cdrom'></disk>"/></a:disk></metadata>`;
  const title = `<title>&lt;disk device='cdrom'></title>`;
  const { removable } = readDevices(`<domain>${title}${metadata}${devices}</domain>`);
  assert.deepEqual(removable, new Set(['hda', 'fda']));
  assert.deepEqual(readDevices('').removable, new Set());
});

test('a balloon through which the guest reports', () => {
  const balloon = (inside: string): boolean =>
    readDevices(
      `<domain>${devices.replace('</devices>', `<memballoon model='virtio'>${inside}</memballoon></devices>`)}`,
    ).balloonStats;
  assert.ok(balloon("<stats period='10'/>"));
  assert.ok(!balloon("<alias name='balloon0'/>"));
});

test('memory in huge pages', () => {
  const hugePages = (backing: string): boolean =>
    readDevices(`<domain><memoryBacking>${backing}</memoryBacking>${devices}</domain>`).hugePages;
  assert.ok(hugePages('<hugepages/>'));
  assert.ok(hugePages("<hugepages>\n      <page size='1048576' unit='KiB'/>\n    </hugepages>"));
  assert.ok(!hugePages("<source type='memfd'/><access mode='shared'/>"));
});

/** A disk as libvirt 9.0.0 writes it with `<iotune>`. */
const limitedDisk = (device: string, iotune: string): string => `    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <target dev='${device}' bus='virtio'/>
      <iotune>
        ${iotune}
      </iotune>
    </disk>
`;

test('limits of disks, those that several disks share left out', () => {
  const own = `<total_bytes_sec>10485760</total_bytes_sec>
        <total_iops_sec>40</total_iops_sec>
        <total_bytes_sec_max>20971520</total_bytes_sec_max>
        <total_iops_sec_max_length>60</total_iops_sec_max_length>
        <size_iops_sec>4096</size_iops_sec>
        <group_name>drive-virtio-disk0</group_name>`;
  const shared = '<read_iops_sec>100</read_iops_sec>\n        <group_name>both</group_name>';
  const disks = [
    limitedDisk('vda', own),
    limitedDisk('vdb', shared),
    limitedDisk('vdc', shared),
    limitedDisk('vdd', '<write_bytes_sec>1024</write_bytes_sec>\n<read_iops_sec>0</read_iops_sec>'),
  ];
  const { diskLimits } = readDevices(`<domain><devices>${disks.join('')}</devices></domain>`);
  assert.deepEqual(
    diskLimits,
    new Map([
      ['vda', { operations: { base: 40 }, bytes: { base: 10_485_760, burst: 20_971_520 } }],
      ['vdd', { writeBytes: { base: 1024 } }],
    ]),
  );
});

test('limits of NICs, in the directions of the domain', () => {
  const limit = (bandwidth: string): unknown =>
    readDevices(
      `<domain><devices><interface type='bridge'><target dev='vnet0'/><bandwidth>${bandwidth}</bandwidth></interface></devices></domain>`,
    ).nics[0]?.limit;
  const inbound = "<inbound average='1000' peak='5000' floor='200' burst='1024'/>";
  assert.deepEqual(limit(`${inbound}<outbound average='128'/>`), { received: 1_000_000, sent: 128_000 });
  assert.deepEqual(limit(inbound), { received: 1_000_000, sent: undefined });
  assert.deepEqual(limit("<outbound peak='5' average='0'/>"), undefined);
});

test('limits of CPUs: of the domain, of each vCPU, and its weight', () => {
  const metadata =
    "<metadata><a xmlns='urn:a'><cputune><quota>1</quota><shares>1</shares></cputune></a></metadata>";
  const cpu = (inside: string): unknown =>
    readDevices(`<domain>${metadata}<cputune>${inside}</cputune>${devices}</domain>`).cpu;
  const vcpus = '<shares>2048</shares><period>50000</period><quota>25000</quota>';
  assert.deepEqual(cpu(vcpus), { vcpuLimit: 0.5, weight: 2048 });
  assert.deepEqual(cpu('<global_period>100000</global_period><global_quota>150000</global_quota>'), {
    limit: 1.5,
  });
  assert.deepEqual(cpu('<quota>150000</quota>'), { vcpuLimit: 1.5 });
  assert.deepEqual(
    cpu("<quota>-1</quota><vcpupin vcpu='0' cpuset='1'/><emulator_quota>9</emulator_quota>"),
    {},
  );
  assert.deepEqual(readDevices(`<domain>${metadata}${devices}</domain>`).cpu, {}, 'what a user wrote');
});
