import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContainerConfig } from '../../src/guests/proxmox/container-config.ts';

const GIB = 2 ** 30;
const NOTHING = { volumes: [], rates: new Map() };

/** After pct.conf(5) and what pve-container writes. */
const CONFIG = `#hostname%3A a note
#hostname: other
arch: amd64
cores: 2
cpulimit: 0.5
dev0: /dev/ttyUSB0,mode=0660
features: fuse=1,nesting=1
hostname: web-1
lock: backup
memory: 1024
mp10: local-zfs:subvol-101-disk-2,mp=/var/lib/ten/,size=4G
mp2: /srv/shared,mp=/shared,ro=1
mp0: volume=ceph:vm-101-disk-1,mp=/data,backup=1,size=1.5T
net0: name=eth0,bridge=vmbr0,firewall=1,hwaddr=BC:24:11:00:00:01,ip=dhcp,type=veth
net1: name=eth1,bridge=vmbr1,rate=12.5,type=veth
onboot: 1
ostype: debian
rootfs: local-lvm:vm-101-disk-0,size=8G
swap: 512
tags: prod;web
unprivileged: 1
unused0: local-lvm:vm-101-disk-9
lxc.idmap = u 0 100000 1005
lxc.mount.entry: /dev/dri dev/dri none bind,optional,create=dir 0 0
lxc.cgroup2.devices.allow = c 226:128 rwm
zz-new-in-pve-12: whatever

[pve:pending]
hostname: pending
rootfs: local-lvm:vm-101-disk-7,size=99G

[snap1]
hostname: old
lock: snapshot
mp7: local-lvm:vm-101-disk-8,mp=/old,size=1G
`;

test('reads what holds now, and neither pending changes nor snapshots', () => {
  assert.deepEqual(parseContainerConfig(CONFIG), {
    name: 'web-1',
    tags: 'prod;web',
    lock: 'backup',
    volumes: [
      { device: 'rootfs', mountPoint: '/', capacity: 8 * GIB, storage: 'local-lvm' },
      { device: 'mp0', mountPoint: '/data', capacity: 1.5 * 2 ** 40, storage: 'ceph' },
      { device: 'mp2', mountPoint: '/shared', storage: '/srv' },
      { device: 'mp10', mountPoint: '/var/lib/ten', capacity: 4 * GIB, storage: 'local-zfs' },
    ],
    rates: new Map([[1, { received: 12.5 * 2 ** 20, sent: 12.5 * 2 ** 20 }]]),
  });
});

test('an empty file, and one with nothing but a snapshot', () => {
  assert.deepEqual(parseContainerConfig(''), NOTHING);
  assert.deepEqual(parseContainerConfig('[a]\nhostname: b\nrootfs: c:d,size=1G\n'), NOTHING);
});

test('what is damaged or strange says nothing, and takes nothing else with it', () => {
  const text = [
    'hostname:',
    'rootfs: ,size=8G',
    'rootfs',
    'mp0: a:b,size=8G',
    'mp1: a:b,mp=relative,size=8G',
    'mp2: a:b,mp=/ok,size=a lot',
    'mp3: a:b,mp=',
    'mp4000: a:b,mp=/many,size=1G',
    'mpx: a:b,mp=/x,size=1G',
    ' mp5: a:b,mp=/blank,size=1G',
    'lxc.uts.name: mp6: a:b,mp=/raw',
    'tags: \u001b[31mred',
    '__proto__: {"volumes": 1}',
    '\0\0\0',
    `mp7: ${','.repeat(10_000)}mp=/commas`,
    'mp8: a:b,mp=//,size=1G',
    'net0: name=eth0,rate=fast',
    'net1: name=eth1,rate=-1',
    'net2: name=eth2,rate=0',
  ].join('\n');
  assert.deepEqual(parseContainerConfig(text), {
    ...NOTHING,
    tags: '\u001b[31mred',
    volumes: [
      { device: 'mp2', mountPoint: '/ok', storage: 'a' },
      { device: 'mp8', mountPoint: '/', storage: 'a', capacity: GIB },
    ],
  });
});

test('the last line of a key counts, and blanks in a name do not', () => {
  const { name, volumes } = parseContainerConfig(
    'hostname: a\nhostname: b c\t\nrootfs: x:y,size=1G\nrootfs: z:y,size=2G\n',
  );
  assert.equal(name, 'bc');
  assert.deepEqual(volumes, [{ device: 'rootfs', mountPoint: '/', storage: 'z', capacity: 2 * GIB }]);
});
