import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from '../collectors/support.ts';

/** The files of a running QEMU of Proxmox VE. Its runtime directory is `run` of the tree. */
export function addPveVm(tree: Tree, vmid: number, pid: number, name: string): void {
  const pidFile = `/run/qemu-server/${vmid}.pid`;
  tree.process(pid, ['kvm', 'CPU 0/KVM', 'CPU 1/KVM', 'vhost-4242'], { utime: 500 });
  const uuid = `526f6d42-dd79-4d81-8ff0-${String(vmid).padStart(12, '0')}`;
  const argv = ['/usr/bin/kvm', '-id', String(vmid), '-name', `${name},debug-threads=on`, '-pidfile'];
  const rest = ['-smbios', `type=1,uuid=${uuid}`, '-smp', '2,sockets=1,cores=2', '-m', '64'];
  tree.write(`proc/${pid}/cmdline`, [...argv, join(tree.root, pidFile), ...rest, ''].join('\0'));
  tree.write(`proc/${pid}/comm`, 'kvm\n');
  tree.write(`proc/${pid}/cgroup`, `0::/qemu.slice/${vmid}.scope\n`);
  symlinkSync('/usr/bin/qemu-system-x86_64', join(tree.root, `proc/${pid}/exe`));
  const uid = process.getuid?.() ?? 0;
  tree.write(
    `proc/${pid}/status`,
    `Name:\tkvm\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nVmRSS:\t 36224 kB\nRssShmem:\t 0 kB\nVmSwap:\t 2048 kB\n`,
  );
  tree.write(
    `proc/${pid}/io`,
    'rchar: 1000\nwchar: 2000\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\n',
  );
  for (const kind of ['cpu', 'io', 'memory']) {
    const line = (share: string): string => `${share} avg10=1.25 avg60=0.50 avg300=0.10 total=123456\n`;
    tree.write(`sys/fs/cgroup/qemu.slice/${vmid}.scope/${kind}.pressure`, line('some') + line('full'));
  }
  tree.write(pidFile.slice(1), `${pid}\n`);
}
