import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Roots } from '../../src/kernel/base/paths.ts';
import { diskSector, spinSector } from './boot-sectors.ts';
import { LabBridge } from './bridge.ts';
import { cgroupMount, enterScope, removeScope } from './cgroup.ts';
import { Guardian } from './guardian.ts';
import { sendFromGuest } from './guest-traffic.ts';
import { plugNic } from './hotplug.ts';
import { hasEnded, processState, until } from './processes.ts';
import { PveTree } from './pve-tree.ts';
import { qemuArguments } from './qemu-arguments.ts';
import { qmp } from './qmp.ts';
import { vmConfig } from './vm-config.ts';
import type { ConfigEntries } from './vm-config.ts';
import { LabVm } from './vm.ts';
import type { LabNic, VmSpec } from './vm.ts';

/**
 * ms between two signals to a QEMU that is to end. One of version 7.2 whose guest never ran can hang at its end when a
 * client of its monitor sends commands in that moment; the next signal wakes it up. Version 10.0 does not.
 */
const SIGNAL_INTERVAL = 1000;
const FLOPPY_SIZE = 1440 * 1024;
const QEMU = 'qemu-system-x86_64';

/** What this machine lacks for a lab, in words for the user; empty when a lab can be made. */
export function missingForLab(): string[] {
  if (process.platform !== 'linux') return ['Linux'];
  const missing = [];
  if (process.getuid?.() !== 0) missing.push('root (taps and cgroups are made)');
  if (programPath(QEMU) === undefined) missing.push(`${QEMU} (Debian package qemu-system-x86)`);
  if (programPath('ip') === undefined) missing.push('ip (Debian package iproute2)');
  if (!existsSync('/dev/net/tun')) missing.push('/dev/net/tun (kernel module tun)');
  return missing;
}

/**
 * Real QEMU processes in the layout of a Proxmox VE node, below a temporary directory:
 *
 *     run/qemu-server/<vmid>.pid, .qmp    as in /run
 *     pve/nodes/<node>/qemu-server/...    as in /etc/pve
 *     images/<vmid>/                     disks of the VMs
 *
 * TCG runs the guests, so that no KVM is needed. All of it is gone after {@link close}, and soon after the end of the
 * process that made it, however that ended.
 */
export class Lab {
  readonly roots: Roots;
  readonly pve: PveTree;
  readonly node = hostname().replace(/\..*/, '');
  readonly bridge = new LabBridge();
  private readonly vms = new Map<number, LabVm>();
  private readonly kvm: string;
  private readonly guardian: Guardian;

  private constructor(readonly root: string) {
    this.roots = {
      procfs: '/proc',
      sysfs: '/sys',
      cgroupfs: cgroupMount(),
      rundir: join(root, 'run'),
      pvedir: join(root, 'pve'),
    };
    mkdirSync(join(root, 'run/qemu-server'), { recursive: true });
    mkdirSync(join(root, 'images'));
    this.pve = new PveTree(this.roots.pvedir, this.node);
    // The kernel names a process after the file it was started from: `kvm` on Proxmox VE, a symbolic link there too.
    this.kvm = join(root, 'kvm');
    symlinkSync(programPath(QEMU) ?? QEMU, this.kvm);
    this.guardian = new Guardian(root, this.bridge.name, join(this.roots.cgroupfs, 'qemu.slice'));
  }

  /** @throws Error that says what is missing when this machine cannot run a lab */
  static create(): Lab {
    const missing = missingForLab();
    if (missing.length > 0) throw new Error(`the lab needs ${missing.join(', ')}`);
    return new Lab(mkdtempSync(join(tmpdir(), 'proxtop-lab-')));
  }

  /** The arguments that make proxtop look into the lab. */
  flags(): string[] {
    const { rundir, pvedir, cgroupfs } = this.roots;
    return ['--rundir', rundir, '--pvedir', pvedir, '--cgroupfs', cgroupfs];
  }

  /** Makes the images and the configuration of a VM, without starting it. */
  define(spec: VmSpec): LabVm {
    const vmid = spec.vmid ?? this.freeVmid();
    if (this.vms.has(vmid)) throw new Error(`VM ${vmid} is there already`);
    const vm = new LabVm(vmid, spec, this.root);
    this.vms.set(vmid, vm);
    this.writeConfig(vm);
    return vm;
  }

  /** Rewrites the configuration of a VM from its description. @param changes keys that are added or replaced */
  writeConfig(vm: LabVm, changes: ConfigEntries = {}): void {
    this.pve.write(vm.vmid, vmConfig(vm, changes));
  }

  /**
   * Starts a VM; resolves when QEMU listens on its monitor and its taps are attached.
   *
   * @param incoming where it waits for the VM that migrates to here, as `unix:PATH`
   */
  async start(vm: LabVm, incoming?: string): Promise<void> {
    const migration = incoming === undefined ? [] : ['-incoming', incoming];
    const qemu = spawn(this.kvm, [...qemuArguments(vm, this.floppy(vm)), ...migration], {
      argv0: '/usr/bin/kvm',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [[code], complaint] = await Promise.all([
      once(qemu, 'close') as Promise<[number | null]>,
      text(qemu.stderr),
    ]);
    if (code !== 0) throw new Error(`QEMU does not start VM ${vm.vmid}: ${complaint.trim()}`);
    vm.pid = Number(readFileSync(vm.pidFile, 'latin1'));
    vm.cgroup = enterScope(this.roots.cgroupfs, vm.vmid, vm.pid);
    for (const nic of vm.nics) await this.bridge.attach(nic);
  }

  /** Defines and starts a VM. */
  async run(spec: VmSpec): Promise<LabVm> {
    const vm = this.define(spec);
    await this.start(vm);
    return vm;
  }

  /** Defines and starts `count` VMs of the same kind, one per processor at a time. */
  async startMany(count: number, spec: VmSpec): Promise<LabVm[]> {
    const vms = Array.from({ length: count }, () => this.define(spec));
    const waiting = vms.values();
    const starter = async (): Promise<void> => {
      for (const vm of waiting) await this.start(vm);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, starter));
    return vms;
  }

  /** Stops a VM as a shutdown does: QEMU removes its pid file and its socket. */
  async stop(vm: LabVm): Promise<void> {
    await this.end(vm, 'SIGTERM');
  }

  /** Kills QEMU: pid file and socket stay behind, as on Proxmox VE after a crash. */
  async kill(vm: LabVm): Promise<void> {
    await this.end(vm, 'SIGKILL');
  }

  /** Stops a VM and starts it again: a new process. */
  async restart(vm: LabVm): Promise<void> {
    await this.stop(vm);
    await this.start(vm);
  }

  /** Stops the QEMU process in its tracks (SIGSTOP): it answers nothing. */
  async suspendProcess(vm: LabVm): Promise<void> {
    const pid = vm.runningPid;
    process.kill(pid, 'SIGSTOP');
    await until(`process ${pid} stops`, () => processState(pid) === 'T');
  }

  /** Lets a suspended QEMU process go on. */
  async resumeProcess(vm: LabVm): Promise<void> {
    const pid = vm.runningPid;
    process.kill(pid, 'SIGCONT');
    await until(`process ${pid} goes on`, () => processState(pid) !== 'T');
  }

  /** Sends a command to the VM's monitor and gives what it returns. @throws Error when QEMU refuses it */
  async qmp(vm: LabVm, command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return qmp(vm.qmpSocket, command, args);
  }

  /** Plugs a NIC into a running VM and attaches its tap. */
  async plugNic(vm: LabVm): Promise<LabNic> {
    const nic = await plugNic(vm);
    await this.bridge.attach(nic);
    return nic;
  }

  /**
   * Sends frames of `bytes` (Ethernet header included) from the host to the VM's first NIC; resolves when all have
   * crossed its tap. The VM must run, and its NIC be an rtl8139 or be driven by the guest.
   */
  async sendToTap(vm: LabVm, frames: number, bytes: number): Promise<void> {
    await this.bridge.send(firstNic(vm), frames, bytes);
  }

  /** Sends frames from the VM's first NIC to the host; resolves when all have crossed its tap. */
  async sendFromGuest(vm: LabVm, frames: number, bytes: number): Promise<void> {
    await sendFromGuest(vm, firstNic(vm), frames, bytes);
  }

  /** Ends every VM and removes all that the lab made. */
  async close(): Promise<void> {
    await this.guardian.release();
  }

  private async end(vm: LabVm, signal: NodeJS.Signals): Promise<void> {
    const pid = vm.runningPid;
    process.kill(pid, signal);
    const again = setInterval(() => {
      if (!hasEnded(pid)) process.kill(pid, signal);
    }, SIGNAL_INTERVAL);
    await until(`VM ${vm.vmid} ends`, () => hasEnded(pid)).finally(() => {
      clearInterval(again);
    });
    if (vm.cgroup !== undefined) await removeScope(this.roots.cgroupfs, vm.cgroup);
    vm.pid = undefined;
    vm.cgroup = undefined;
  }

  private freeVmid(): number {
    for (;;) {
      const vmid = randomInt(100_000, 900_000);
      if (!this.vms.has(vmid)) return vmid;
    }
  }

  /** The boot floppy of a VM, shared with the VMs that boot the same; undefined where none is needed. */
  private floppy(vm: LabVm): string | undefined {
    if (vm.guest === 'paused' || vm.guest === 'network') return undefined;
    const load = vm.guest === 'idle' ? 0 : vm.load;
    const image = join(this.root, 'images', `boot-${vm.guest}-${load}.img`);
    if (!existsSync(image)) {
      writeFileSync(image, vm.guest === 'disk' ? diskSector(load) : spinSector(load));
      truncateSync(image, FLOPPY_SIZE);
    }
    return image;
  }
}

function firstNic(vm: LabVm): LabNic {
  const nic = vm.nics[0];
  if (nic === undefined) throw new Error(`VM ${vm.vmid} has no NIC`);
  return nic;
}

/** Where a program lies on the PATH. */
function programPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}
