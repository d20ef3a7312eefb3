import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevices } from '../../src/guests/libvirt/libvirt-xml.ts';
import { capture } from '../libvirt/captures.ts';

test('a domain with a disk and nothing else', () => {
  const { xml } = capture('DOMAIN_GET_XML_DESC (14) lv7').decoded as { readonly xml: string };
  assert.ok(xml.includes("<target dev='vda'"));
  assert.deepEqual(readDevices(xml), {
    removable: new Set(),
    nics: [],
    hugePages: false,
    balloonStats: false,
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
