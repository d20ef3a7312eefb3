import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where the kernel, QEMU and Proxmox VE keep their files; replaced as a whole for a mounted remote host or a test. */
export interface Roots {
  /** procfs, normally /proc. */
  readonly procfs: string;
  /** sysfs, normally /sys. */
  readonly sysfs: string;
  /** cgroup v2, normally /sys/fs/cgroup; on a hybrid host the directory above its unified/ is meant as well. */
  readonly cgroupfs: string;
  /** Runtime directory, normally /run: Proxmox VE keeps pid files and monitor sockets in its qemu-server/. */
  readonly rundir: string;
  /** The cluster file system of Proxmox VE, normally /etc/pve. */
  readonly pvedir: string;
}

export const defaultRoots: Roots = {
  procfs: '/proc',
  sysfs: '/sys',
  cgroupfs: '/sys/fs/cgroup',
  rundir: '/run',
  pvedir: '/etc/pve',
};

/** Roots that contain nothing, for a host whose files cannot be read here. */
export const nowhere: Roots = {
  procfs: '/dev/null',
  sysfs: '/dev/null',
  cgroupfs: '/dev/null',
  rundir: '/dev/null',
  pvedir: '/dev/null',
};

/** Where the certificates of the system are that libvirt uses. */
export const certificateDirectory = '/etc/pki';

/** What the descriptor of a tap links to. */
export const tunDevice = '/dev/net/tun';

/** The path of an open descriptor of this process, also of one that only refers to a file (O_PATH). */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Whether two paths are the same file of the runtime directory: /var/run is a link to /run on every Debian. */
export function sameRunFile(a: string, b: string): boolean {
  return withoutVar(a) === withoutVar(b);
}

/**
 * The kind of a file, without its process, VM, CPU or cgroup: `/proc/<pid>/io`, `<cgroup>/cpu.stat`. Interface files of
 * cgroups are all named after their controller and a dot (Documentation/admin-guide/cgroup-v2.rst).
 */
export function fileKind(path: string): string {
  return path
    .replace(/^.*\/(?=(?:cgroup|cpu|cpuset|hugetlb|io|memory|pids)\.[A-Za-z0-9._]+$)/, '<cgroup>/')
    .replaceAll(/\/\d+(?=\/)/g, '/<pid>')
    .replaceAll(/\/cpu\d+(?=\/)/g, '/cpu<n>')
    .replace(/\d+(?=\.pid$)/, '<vmid>');
}

function withoutVar(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/');
}

/** The hierarchy of cgroup v2 in a directory or in its unified/; undefined where there is none. */
export function cgroup2In(directory: string): string | undefined {
  return [directory, join(directory, 'unified')].find((each) => existsSync(join(each, 'cgroup.controllers')));
}

/** The process that is in all namespaces of the host: init. */
export const hostProcess = 1;
/** kthreadd, the parent of all kernel threads. */
export const kernelThreads = 2;

/** The path of every file that is read, by its content. No other module spells a kernel path. */
export class Paths {
  private cgroup2: string | undefined;

  constructor(readonly roots: Roots) {}

  /** A file of the host in procfs, by its path there: stat, meminfo, net/dev, pressure/cpu, ... */
  proc(file: string): string {
    return join(this.roots.procfs, file);
  }

  /**
   * A file of the host's network namespace: dev, unix. `<procfs>/net` links to the namespace of the reading process, which
   * in a container is not that of the host; it is used only if the first process cannot be seen.
   */
  hostNet(file: string): string {
    const path = this.pid(hostProcess, `net/${file}`);
    return existsSync(path) ? path : this.proc(`net/${file}`);
  }

  /** A file of a process: stat, status, io, cmdline, cgroup, net/dev, ... */
  pid(pid: number, file: string): string {
    return join(this.roots.procfs, String(pid), file);
  }

  /** A file of one thread of a process: schedstat, comm, children. */
  task(pid: number, tid: number, file: string): string {
    // Numbers hold nothing that `join` had to resolve; its garbage was 25 KB a second with 800 vCPUs.
    return `${this.roots.procfs}/${pid}/task/${tid}/${file}`;
  }

  /** The directory that holds cpu0, cpu1, ... */
  get cpus(): string {
    return join(this.roots.sysfs, 'devices/system/cpu');
  }

  /** The list of CPUs that are online. */
  get onlineCpus(): string {
    return join(this.cpus, 'online');
  }

  /** A file of a NUMA node, or the directory that holds node0, node1, ... */
  nodes(file = ''): string {
    return join(this.roots.sysfs, 'devices/system/node', file);
  }

  /** A cpufreq file of one logical CPU. */
  cpufreq(cpu: string, file: string): string {
    return join(this.cpus, cpu, 'cpufreq', file);
  }

  /** A file below a network interface: speed, device, ... */
  net(device: string, file = ''): string {
    return join(this.roots.sysfs, 'class/net', device, file);
  }

  /** A file below a block device: dm/uuid, dm/name, partition, ... Slashes in device names are `!` in sysfs. */
  block(device: string, file = ''): string {
    return join(this.roots.sysfs, 'class/block', device.replaceAll('/', '!'), file);
  }

  /** A chip of hardware monitoring, or the directory of them all. */
  hwmon(chip = ''): string {
    return join(this.roots.sysfs, 'class/hwmon', chip);
  }

  /** A file below a zone of power capping, or the directory of them all. */
  powercap(zone = '', file = ''): string {
    return join(this.roots.sysfs, 'class/powercap', zone, file);
  }

  /** What udev keeps about a block device. @param numbers its major and minor, such as 230:16 */
  udevBlock(numbers: string): string {
    return join(this.roots.rundir, 'udev/data', `b${numbers}`);
  }

  /** A file below a block device, or its directory, by its major and minor numbers, such as 253:3. */
  blockByNumber(numbers: string, file = ''): string {
    return join(this.roots.sysfs, 'dev/block', numbers, file);
  }

  /** A file of ZFS about a pool, or their directory; without a pool, the directory of all pools. */
  zfsPools(pool = '', file = ''): string {
    return join(this.roots.procfs, 'spl/kstat/zfs', pool, file);
  }

  /** A file of a mapped Ceph image: pool, name, current_snap, ... */
  rbd(id: string, file: string): string {
    return join(this.roots.sysfs, 'devices/rbd', id, file);
  }

  get productUuid(): string {
    return join(this.roots.sysfs, 'devices/virtual/dmi/id/product_uuid');
  }

  get ksmPagesSharing(): string {
    return join(this.roots.sysfs, 'kernel/mm/ksm/pages_sharing');
  }

  /** Where cgroup v2 really is: a hybrid host has the controllers of v1 around it. */
  get cgroupMount(): string {
    this.cgroup2 ??= cgroup2In(this.roots.cgroupfs) ?? this.roots.cgroupfs;
    return this.cgroup2;
  }

  /** A file of a cgroup, by the cgroup's path from the root of the hierarchy. */
  cgroup(group: string, file: string): string {
    return join(this.cgroupMount, group, file);
  }

  /** Where Proxmox VE keeps pid files and monitor sockets. */
  get qemuServer(): string {
    return join(this.roots.rundir, 'qemu-server');
  }

  /** Where QEMU writes its pid. */
  pidFile(vmid: string): string {
    return join(this.qemuServer, `${vmid}.pid`);
  }

  /** Where libvirt's daemons have their sockets and the pid files of their VMs. */
  get libvirt(): string {
    return join(this.roots.rundir, 'libvirt');
  }

  /** The socket of a VM's QMP monitor. */
  qmpSocket(vmid: string): string {
    return join(this.qemuServer, `${vmid}.qmp`);
  }

  /** A file of the cluster file system of Proxmox VE. */
  pve(file: string): string {
    return join(this.roots.pvedir, file);
  }
}
