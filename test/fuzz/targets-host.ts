import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseContainerConfig } from '../../src/guests/proxmox/container-config.ts';
import { parseVmConfig } from '../../src/guests/proxmox/vm-config.ts';
import { parseQemuArguments, runsVm } from '../../src/guests/qemu/qemu-arguments.ts';
import { CgroupCpuStat, parseCgroupCpuStat } from '../../src/kernel/sys/cgroup/cgroup-cpu-stat.ts';
import { CgroupEvents, parseCgroupEvents } from '../../src/kernel/sys/cgroup/cgroup-events.ts';
import { CgroupIoStat, parseCgroupIoStat } from '../../src/kernel/sys/cgroup/cgroup-io-stat.ts';
import { parseCgroupLimit, parseCpuMax } from '../../src/kernel/sys/cgroup/cgroup-limit.ts';
import { CgroupMemoryStat, parseCgroupMemoryStat } from '../../src/kernel/sys/cgroup/cgroup-memory.ts';
import { parseCpuList } from '../../src/kernel/sys/cpu-list.ts';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { parseNumber, parseNumberAt } from '../../src/kernel/base/number-file.ts';
import { parsePageSize } from '../../src/kernel/sys/page-size.ts';
import { parseCpuinfo } from '../../src/kernel/proc/proc-cpuinfo.ts';
import {
  DiskStats,
  diskCounts,
  parseBlockStat,
  parseDiskStats,
} from '../../src/kernel/proc/proc-diskstats.ts';
import { LoadAvg, parseLoadAvg } from '../../src/kernel/proc/proc-loadavg.ts';
import { MemInfo, parseMemInfo } from '../../src/kernel/proc/proc-meminfo.ts';
import { NetDev, parseNetDev } from '../../src/kernel/proc/proc-net-dev.ts';
import { connections } from '../../src/kernel/proc/proc-net-unix.ts';
import { parseCgroup } from '../../src/kernel/pid/proc-pid-cgroup.ts';
import { LARGEST_CMDLINE, parseCmdline } from '../../src/kernel/pid/proc-pid-cmdline.ts';
import { PidIo, parsePidIo } from '../../src/kernel/pid/proc-pid-io.ts';
import { Schedstat, parsePidSchedstat } from '../../src/kernel/pid/proc-pid-schedstat.ts';
import { PidStat, parsePidStat } from '../../src/kernel/pid/proc-pid-stat.ts';
import { PidMemory, cpusAllowed, ownerOf, parsePidMemory } from '../../src/kernel/pid/proc-pid-status.ts';
import { Pressure, parsePressure } from '../../src/kernel/proc/proc-pressure.ts';
import { ProcStat, parseProcStat } from '../../src/kernel/proc/proc-stat.ts';
import { VmStat, parseVmStat } from '../../src/kernel/proc/proc-vmstat.ts';
import { parseKsmStat } from '../../src/kernel/pid/proc-pid-ksm.ts';
import { parseUptime } from '../../src/kernel/proc/proc-uptime.ts';
import { ArcStats, parseArcstats } from '../../src/kernel/sys/zfs/zfs-arcstats.ts';
import { ZfsObjset, parseZfsObjset } from '../../src/kernel/sys/zfs/zfs-objset.ts';
import { kernels, cursorOf } from '../kernel/support.ts';
import type { Target } from './harness.ts';

/** A file of both captured kernels; what they do not have is as it was given. */
function captured(path: string, otherwise = ''): readonly Buffer[] {
  return kernels.map((kernel) => {
    try {
      return readFileSync(join(import.meta.dirname, '../fixtures', kernel, path));
    } catch {
      return Buffer.from(otherwise);
    }
  });
}

const isFormatError = (error: unknown): boolean => error instanceof KernelFormatError;

/** A parser of a kernel file, which may only refuse with a KernelFormatError. */
function kernelFile(
  path: string,
  parse: (cursor: Cursor, path: string) => unknown,
  otherwise?: string,
): Target {
  return {
    name: path,
    seeds: captured(path, otherwise),
    words: ['\n', ' ', ':', ' kB\n', 'cpu', '(', ')', '0 ', 'some avg10=', 'total='],
    parse: (input) => parse(cursorOf(input), path),
    refuses: isFormatError,
  };
}

const kernelFiles: readonly Target[] = [
  kernelFile('proc/stat', (cursor, path) => {
    parseProcStat(cursor, new ProcStat(true), path);
  }),
  kernelFile('proc/meminfo', (cursor, path) => {
    parseMemInfo(cursor, new MemInfo(['MemTotal', 'MemFree']), path);
  }),
  kernelFile('proc/diskstats', (cursor, path) => {
    parseDiskStats(cursor, new DiskStats(), path);
  }),
  kernelFile('proc/net/dev', (cursor, path) => {
    parseNetDev(cursor, new NetDev(), path);
  }),
  kernelFile('proc/loadavg', (cursor, path) => {
    parseLoadAvg(cursor, new LoadAvg(), path);
  }),
  kernelFile('proc/uptime', parseUptime),
  kernelFile('proc/pressure/cpu', (cursor, path) => {
    parsePressure(cursor, new Pressure(), path);
  }),
  kernelFile('proc/4242/stat', (cursor, path) => {
    parsePidStat(cursor, new PidStat(), path);
  }),
  kernelFile('proc/4242/io', (cursor, path) => {
    parsePidIo(cursor, new PidIo(), path);
  }),
  kernelFile('proc/4242/schedstat', (cursor, path) => {
    parsePidSchedstat(cursor, new Schedstat(), path);
  }),
  kernelFile('proc/4242/status', (cursor, path) => {
    parsePidMemory(cursor, new PidMemory(), path);
  }),
  kernelFile('sys/fs/cgroup/cpu.stat', (cursor, path) => {
    parseCgroupCpuStat(cursor, new CgroupCpuStat(), path);
  }),
  kernelFile('sys/fs/cgroup/vm/memory.current', parseNumberAt, '4096\n'),
  kernelFile('memory.max', parseCgroupLimit, '134217728\n'),
  kernelFile('cpu.max', parseCpuMax, 'max 100000\n'),
  kernelFile(
    'cgroup.events',
    (cursor, path) => {
      parseCgroupEvents(cursor, new CgroupEvents(), path);
    },
    'populated 1\nfrozen 0\n',
  ),
  kernelFile(
    'memory.stat',
    (cursor, path) => {
      parseCgroupMemoryStat(cursor, new CgroupMemoryStat(), path);
    },
    'anon 106496\nfile 1658880\npgmajfault 22\n',
  ),
  kernelFile(
    'io.stat',
    (cursor, path) => {
      parseCgroupIoStat(cursor, new CgroupIoStat(), path);
    },
    '8:0 \n254:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 8:32 rbytes=1\n',
  ),
  kernelFile(
    'objset',
    (cursor, path) => {
      parseZfsObjset(cursor, new ZfsObjset(), path);
    },
    '58 1 0x01 7 2160 5 1\nname type data\ndataset_name 7 rpool/data/subvol-101-disk-0\nnread 4 126976\n',
  ),
  kernelFile(
    'sys/dev/block/7:0/stat',
    (cursor, path) => {
      parseBlockStat(cursor, diskCounts(), path);
    },
    '     655       15    15302       99    18473     2138  3681036    35123        0    31692    49906\n',
  ),
  kernelFile(
    'proc/vmstat',
    (cursor, path) => {
      parseVmStat(cursor, new VmStat(), path);
    },
    'nr_free_pages 5\npswpin 4711\npswpout 42\n',
  ),
  kernelFile('proc/4242/ksm_stat', parseKsmStat, 'ksm_rmap_items 76\nksm_merging_pages 1024\n'),
  kernelFile(
    'arcstats',
    (cursor, path) => {
      parseArcstats(cursor, new ArcStats(), path);
    },
    '9 1 0x01 123 33456 1 2\nname type data\nhits 4 1\nc_min 4 5\nsize 4 12345\n',
  ),
];

/** As Proxmox VE and libvirt start QEMU. */
const commandLines = [
  [
    ...[
      '/usr/bin/kvm',
      '-id',
      '100',
      '-name',
      'web,debug-threads=on',
      '-m',
      '2048',
      '-smp',
      '4,sockets=1,cores=4,maxcpus=4',
    ],
    ...[
      '-chardev',
      'socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off',
      '-mon',
      'chardev=qmp,mode=control',
    ],
    ...[
      '-pidfile',
      '/var/run/qemu-server/100.pid',
      '-smbios',
      'type=1,uuid=11111111-2222-3333-4444-555555555555',
    ],
    ...[
      '-drive',
      'file=/dev/pve/vm-100-disk-0,if=none,id=drive-scsi0,format=raw',
      '-device',
      'scsi-hd,drive=drive-scsi0,id=scsi0',
    ],
    ...[
      '-drive',
      'if=none,id=drive-ide2,media=cdrom',
      '-netdev',
      'type=tap,id=net0,ifname=tap100i0,script=no',
    ],
  ],
  [
    ...[
      'qemu-system-x86_64',
      '-name',
      'guest=lv1,debug-threads=on',
      '-uuid',
      '11111111-2222-3333-4444-000000000001',
    ],
    ...[
      '-blockdev',
      '{"driver":"qcow2","node-name":"libvirt-1-format","file":{"driver":"file","filename":"/a.qcow2"}}',
    ],
    ...['-qmp', 'unix:a.qmp,server=on,wait=off', '-machine', 'pc,usb=off'],
  ],
].map((argv) => argv.join('\0'));

const pveConfigs = [
  `agent: 1
boot: order=scsi0;ide2
cores: 4
description: a%0Ab
ide2: none,media=cdrom
memory: 2048
name: web
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1
scsi0: local-lvm:vm-100-disk-0,discard=on,iothread=1,size=32G
scsihw: virtio-scsi-single
smbios1: uuid=11111111-2222-3333-4444-555555555555
tags: a;b
unused0: local-lvm:vm-100-disk-1

[snap]
memory: 1024
`,
];

export const hostTargets: readonly Target[] = [
  ...kernelFiles,
  {
    name: 'proc/net/unix',
    seeds: [
      `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000001: 00000002 00000000 00010000 0001 01   100 /run/vm/a.qmp
0000000000000002: 00000003 00000000 00000000 0001 03   101 /run/vm/a.qmp
0000000000000005: 00000003 00000000 00000000 0001 03   103 @abstract
`,
    ],
    words: [
      '0000000000000001: 00000002 00000000 00010000 0001 01   100 /run/a\n',
      ' ',
      '      ',
      '0 ',
      '\n',
      ': ',
    ],
    largest: 512 * 1024,
    parse: (input) => connections(input),
  },
  {
    name: 'texts of kernel files',
    seeds: [
      ...captured('proc/4242/cgroup'),
      ...captured('proc/4242/status'),
      ...captured('proc/cpuinfo'),
      ...captured('proc/self/auxv'),
      '0-3,8,10-11',
      '12:pids:/a\n0::/qemu.slice/100.scope\n',
    ],
    words: [
      '0::/',
      '-',
      ',',
      '\n',
      'Uid:\t0\t0\t0\t0\n',
      'Cpus_allowed_list:\t',
      'cpu MHz\t\t: ',
      'processor\t: ',
    ],
    parse: (input) => {
      const text = input.toString();
      for (const parse of [parseCpuList, parseCpuinfo, parseNumber, ownerOf]) parse(text);
      cpusAllowed(input);
      for (const parse of [() => parseCgroup(text, 'cgroup'), () => parsePageSize(input, 'auxv')])
        refusing(parse);
    },
  },
  {
    name: 'arguments of QEMU',
    seeds: commandLines,
    words: [
      '\0-',
      '\0--',
      '\0',
      ',',
      ',,',
      '=',
      '-drive',
      '-device',
      '{"file":',
      '}',
      'file.filename=',
      '-name',
      'guest=',
      '-smp',
      'cores=',
      '-m',
      'size=',
    ],
    largest: LARGEST_CMDLINE,
    parse: (input) => {
      const argv = parseCmdline(input.toString());
      runsVm(argv);
      parseQemuArguments(argv);
    },
  },
  {
    name: 'configuration of a VM of Proxmox VE',
    seeds: pveConfigs,
    words: [
      'scsi0: ',
      'virtio1: ',
      'ide2: ',
      'media=cdrom',
      'size=',
      ',',
      ':',
      '\n',
      '[',
      ']',
      '[PENDING]\n',
      'uuid=',
      'unused0: ',
      'tags: ',
      'name: ',
    ],
    largest: 512 * 1024,
    parse: (input) => parseVmConfig(input.toString()),
  },
  {
    name: 'configuration of a container of Proxmox VE',
    seeds: [
      Buffer.from(
        'hostname: web\nrootfs: local-lvm:vm-101-disk-0,size=8G\nmp0: a:b,mp=/data,size=1T\nlxc.idmap = u 0 100000 65536\n[snap]\nhostname: old\n',
      ),
    ],
    words: [
      'rootfs: ',
      'mp1: ',
      'mp=/',
      'volume=',
      'size=',
      ',',
      ':',
      '\n',
      '[',
      'hostname: ',
      'tags: ',
      '/',
    ],
    largest: 512 * 1024,
    parse: (input) => parseContainerConfig(input.toString()),
  },
];

/** Calls a parser that may refuse. */
function refusing(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!isFormatError(error)) throw error;
  }
}
