import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskSector, spinSector } from '../lab/boot-sectors.ts';
import { PveTree } from '../lab/pve-tree.ts';
import { qemuArguments } from '../lab/qemu-arguments.ts';
import { vmConfig } from '../lab/vm-config.ts';
import { LabVm, type VmSpec } from '../lab/vm.ts';
import type { Machine } from './machine.ts';

const MIB = 2 ** 20;
const FLOPPY_SIZE = 1440 * 1024;

interface Guest {
  readonly vm: LabVm;
  /** Properties of its scope. */
  readonly properties: readonly string[];
}

/** Names of the volume group and of the volume that the disk of a guest lies on. */
export const volumeGroup = 'pve';
export const volume = 'vm-101-disk-0';

/**
 * QEMU guests in the machine, laid out as Proxmox VE lays them out: /etc/pve, /run/qemu-server, a scope of its own in
 * qemu.slice for each, taps on the bridge vmbr0, a disk on a logical volume. 100 spins but may use a fifth of a processor, on
 * the NUMA node that has none of its memory; 101 reads and writes its disk; 102 is idle, on the node of its memory.
 */
export class Guests {
  private readonly guests: readonly Guest[];
  /** What lies below here lies below / in the machine. */
  private readonly root = mkdtempSync(join(tmpdir(), 'proxtop-guests-'));

  constructor() {
    mkdirSync(join(this.root, 'images'));
    mkdirSync(join(this.root, 'etc/pve'), { recursive: true });
    this.guests = [
      this.define({ vmid: 100, name: 'throttled', guest: 'spin' }, [
        'CPUQuota=20%',
        'AllowedCPUs=1',
        'AllowedMemoryNodes=0',
      ]),
      this.define(
        {
          vmid: 101,
          name: 'busy-disk',
          guest: 'disk',
          disks: [{ interface: 'scsi', size: 16 * MIB, shape: 'drive' }],
        },
        [],
      ),
      this.define({ vmid: 102, name: 'idle', guest: 'idle', nics: [{ model: 'rtl8139' }] }, [
        'AllowedCPUs=0',
        'AllowedMemoryNodes=0',
      ]),
    ];
    const pve = new PveTree(join(this.root, 'etc/pve'), 'pve1');
    for (const { vm } of this.guests) pve.write(vm.vmid, vmConfig(vm));
  }

  /** Puts their files into a machine. */
  async install(machine: Machine): Promise<void> {
    const files = execFileSync('tar', ['-cS', '-C', this.root, '.'], { maxBuffer: 64 * MIB });
    await machine.run('tar -xS --no-overwrite-dir -C /', files);
    const disk = this.guests[1]?.vm.disks[0]?.image ?? '';
    await machine.run(
      `ln -sf qemu-system-x86_64 /usr/bin/kvm
      pvcreate -q /dev/vdb && vgcreate -q ${volumeGroup} /dev/vdb && lvcreate -q -n ${volume} -L 16M ${volumeGroup}
      ln -sf /dev/${volumeGroup}/${volume} ${this.inside(disk)}`,
    );
  }

  /** Ends some of them: what they do slows the machine down. */
  async stop(machine: Machine, ...vms: readonly { readonly vmid: number }[]): Promise<void> {
    await machine.run(`systemctl stop ${vms.map(({ vmid }) => `${vmid}.scope`).join(' ')}`);
  }

  /** Starts them. */
  async start(machine: Machine): Promise<void> {
    const commands = this.guests.map(({ vm, properties }) => {
      const args = qemuArguments(vm, this.floppy(vm)).map((arg) => quote(this.inside(arg)));
      const scope = properties.map((property) => `-p ${property}`).join(' ');
      return `systemd-run -q --scope --slice=qemu --unit=${vm.vmid} ${scope} /usr/bin/kvm ${args.join(' ')}`;
    });
    const taps = this.guests.flatMap(({ vm }) =>
      vm.nics.map(({ tap }) => `ip link set ${tap} master vmbr0 up`),
    );
    await machine.run(
      [
        'mkdir -p /run/qemu-server',
        'ip link add vmbr0 type bridge',
        'ip link set vmbr0 up',
        ...commands,
        ...taps,
      ].join('\n'),
    );
  }

  close(): void {
    rmSync(this.root, { recursive: true });
  }

  private define(spec: VmSpec, properties: readonly string[]): Guest {
    const vm = new LabVm(spec.vmid ?? 0, spec, this.root);
    const floppy = this.floppy(vm);
    writeFileSync(floppy, spec.guest === 'disk' ? diskSector(1) : spinSector(spec.guest === 'spin' ? 8 : 0));
    truncateSync(floppy, FLOPPY_SIZE);
    return { vm, properties };
  }

  private floppy({ vmid }: LabVm): string {
    return join(this.root, 'images', `boot-${vmid}.img`);
  }

  /** Paths as they are in the machine. */
  private inside(text: string): string {
    return text.replaceAll(this.root, '');
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
