import type { Machine } from './machine.ts';

/** A container of LXC that runs in the machine beside the one of Proxmox VE with a volume. */
export interface Kind {
  readonly vmid: number;
  /** Makes its root, as a shell script; `$root` is where. */
  readonly root: string;
  /** Lines of the configuration of LXC, beside those of the layout. */
  readonly config: string;
  /** The configuration of Proxmox VE. */
  readonly conf: string;
}

/** One whose users are others on the host, as `unprivileged: 1` makes it. */
export const unprivileged: Kind = {
  vmid: 902,
  root: `
    mkdir -p $root/bin $root/dev $root/proc $root/sys $root/etc $root/tmp
    cp /bin/busybox $root/bin/busybox
    ln -s busybox $root/bin/sh
    printf '#!/bin/sh\\nwhile :; do busybox sleep 1000; done\\n' >$root/init
    chmod 755 $root/init
    chown -hR 100000:100000 $root`,
  config: `lxc.init.cmd = /init
lxc.idmap = u 0 100000 65536
lxc.idmap = g 0 100000 65536`,
  conf: 'hostname: mapped\nunprivileged: 1\n',
};

/** One with systemd inside, by the programs of the machine itself: its units have cgroups below that of the container. */
export const withSystemd: Kind = {
  vmid: 903,
  root: `
    mkdir -p /run/upper903 && mount -t tmpfs none /run/upper903
    mkdir /run/upper903/up /run/upper903/work $root
    mount -t overlay -o lowerdir=/,upperdir=/run/upper903/up,workdir=/run/upper903/work none $root
    rm -f $root/etc/fstab $root/etc/machine-id`,
  config: `lxc.init.cmd = /lib/systemd/systemd systemd.unit=basic.target
lxc.mount.auto = cgroup:rw`,
  conf: 'hostname: inside\n',
};

/** Makes one and starts it, as the unit of Proxmox VE does. */
export async function startKind(machine: Machine, { vmid, root, config, conf }: Kind): Promise<void> {
  const home = `/var/lib/lxc/${vmid}`;
  await machine.run(`mkdir -p ${home}; root=${home}/rootfs; ${root}`);
  await machine.write(
    `${home}/config`,
    `lxc.uts.name = ct${vmid}
lxc.rootfs.path = dir:${home}/rootfs
lxc.cgroup.relative = 0
lxc.cgroup.dir.monitor = lxc.monitor/${vmid}
lxc.cgroup.dir.container = lxc/${vmid}
lxc.cgroup.dir.container.inner = ns
lxc.net.0.type = empty
lxc.mount.auto = proc:mixed sys:mixed
lxc.apparmor.profile = unconfined
${config}
`,
  );
  await machine.write(`/etc/pve/local/lxc/${vmid}.conf`, conf);
  await startUnit(machine, vmid);
}

/** Starts a container of LXC in the unit of its name; resolves when it runs. */
export async function startUnit(machine: Machine, vmid: number): Promise<void> {
  await machine.run(
    `systemctl reset-failed pve-container@${vmid} 2>/dev/null || true
    systemd-run -q --unit=pve-container@${vmid} -p Delegate=yes lxc-start -F -n ${vmid}
    timeout 120 sh -c 'until lxc-info -n ${vmid} -sH | grep -q RUNNING; do sleep 1; done' ||
      { journalctl -u pve-container@${vmid} -n 20 >&2; exit 1; }`,
  );
}

/** Starts a container of systemd-nspawn called `box`, by the unit that its package has. */
export async function startNspawn(machine: Machine): Promise<void> {
  await machine.run(`
    root=/var/lib/machines/box
    mkdir -p $root/bin $root/dev $root/proc $root/sys $root/etc $root/tmp $root/usr $root/sbin
    cp /bin/busybox $root/bin/busybox
    ln -s busybox $root/bin/sh
    echo 'ID=box' >$root/etc/os-release
    printf '#!/bin/sh\\nwhile :; do busybox sleep 1000; done\\n' >$root/sbin/init
    chmod 755 $root/sbin/init
    systemctl start systemd-nspawn@box || { journalctl -u systemd-nspawn@box -n 20 >&2; exit 1; }`);
}
