import { startUnit } from './container-kinds.ts';
import type { Machine } from './machine.ts';

/** vmid of the container. */
export const vmid = 901;
/** Bytes. */
export const memoryLimit = 64 * 2 ** 20;

/** Its configuration for LXC: the layout that Proxmox VE gives its containers (PVE::LXC update_lxc_config). */
const config = `lxc.uts.name = web
lxc.rootfs.path = dir:/var/lib/lxc/${vmid}/rootfs
lxc.init.cmd = /init
lxc.cgroup.relative = 0
lxc.cgroup.dir.monitor = lxc.monitor/${vmid}
lxc.cgroup.dir.container = lxc/${vmid}
lxc.cgroup.dir.container.inner = ns
lxc.cgroup2.memory.max = ${memoryLimit}
lxc.cgroup2.memory.swap.max = 0
lxc.cgroup2.cpu.max = 20000 100000
lxc.net.0.type = veth
lxc.net.0.veth.pair = veth${vmid}i0
lxc.net.0.name = eth0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.9.0.2/24
lxc.mount.auto = proc:mixed sys:mixed
lxc.apparmor.profile = unconfined
`;

/** Its first process: waits for commands in files and runs them, one after the other. */
const init = `#!/bin/sh
while :; do
	for task in /tasks/*.sh; do
		[ -e "$task" ] || continue
		mv "$task" "$task.running"
		sh "$task.running" &
	done
	sleep 0.2
done
`;

/** A container of Proxmox VE in the machine: its root on a logical volume, a CPU limit, a memory limit, a veth. */
export class HostContainer {
  constructor(private readonly machine: Machine) {}

  /** Makes volume, files and configuration. */
  async install(): Promise<void> {
    const root = `/var/lib/lxc/${vmid}/rootfs`;
    await this.machine.run(`
      vgs pve >/dev/null 2>&1 || { pvcreate -q /dev/vdb && vgcreate -q pve /dev/vdb; }
      lvcreate -q -y -n vm-${vmid}-disk-0 -L 96M pve
      mkfs.ext4 -q /dev/pve/vm-${vmid}-disk-0
      mkdir -p ${root} /etc/pve/local/lxc
      mount /dev/pve/vm-${vmid}-disk-0 ${root}
      cd ${root}
      mkdir -p bin dev proc sys etc tmp tasks
      cp /bin/busybox bin/busybox
      for applet in sh sleep mv cat dd ping seq rm sync tail head; do ln -s busybox bin/$applet; done
    `);
    await this.machine.write(`${root}/init`, init);
    await this.machine.write(`/var/lib/lxc/${vmid}/config`, config);
    await this.machine.write(
      `/etc/pve/local/lxc/${vmid}.conf`,
      `hostname: web\ntags: prod\nmemory: 64\nrootfs: local-lvm:vm-${vmid}-disk-0,size=96M\nnet0: name=eth0\n`,
    );
    await this.machine.run(`chmod 755 ${root}/init`);
  }

  /** As the unit of Proxmox VE does. */
  async start(): Promise<void> {
    await startUnit(this.machine, vmid);
    await this.machine.run(
      `timeout 120 sh -c 'until ip link show veth${vmid}i0 >/dev/null 2>&1; do sleep 1; done'
      ip addr replace 10.9.0.1/24 dev veth${vmid}i0 && ip link set veth${vmid}i0 up`,
    );
  }

  /** Kills it, as a forced stop does. */
  async stop(): Promise<void> {
    await this.machine.run(`lxc-stop -n ${vmid} -k`);
  }

  /** Has its first process run a script; does not wait for its end. */
  async task(name: string, script: string): Promise<void> {
    const tasks = `/var/lib/lxc/${vmid}/rootfs/tasks`;
    await this.machine.write(`${tasks}/${name}.new`, script);
    await this.machine.run(`mv ${tasks}/${name}.new ${tasks}/${name}.sh`);
  }

  /** A number in a file of its cgroup: the word behind a key, or the only one. */
  async counter(file: string, key?: string): Promise<number> {
    const program = key === undefined ? '{ print $1 }' : `$1 == "${key}" { print $2 }`;
    return Number(await this.machine.run(`awk '${program}' /sys/fs/cgroup/lxc/${vmid}/${file}`));
  }
}
