import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabBridge } from '../lab/bridge.ts';
import { LabLibvirtd, missingForLibvirtd } from '../lab/libvirtd.ts';
import type { LabNic } from '../lab/vm.ts';
import type { Cycle, Row } from './program.ts';

const missing = missingForLibvirtd();
/** Why tests with a libvirtd are skipped; false where they are not. */
export const skip = missing.length > 0 && `libvirtd needs ${missing.join(', ')}`;

/** Twice a second, everything at every cycle. */
export const FAST = ['--frequency=0.5', '--detail-interval=0.5'];

export const CDROM = "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/></disk>";

/** A tap that libvirt makes for a domain; its NIC takes frames even when no guest drives it. */
export function nic(): LabNic {
  const number = randomInt(2 ** 24);
  const mac = `52:54:00:${number.toString(16).padStart(6, '0').match(/../g)?.join(':') ?? ''}`;
  return { device: 'net0', tap: `pt${number.toString(36)}`, mac, model: 'rtl8139' };
}

export function nicXml({ tap, mac, model }: LabNic): string {
  return (
    `<interface type='ethernet'><mac address='${mac}'/><target dev='${tap}'/><model type='${model}'/>` +
    `<script path='/bin/true'/></interface>`
  );
}

/** A libvirtd with what proxtop needs to find it as that of the system. */
export class LibvirtHost {
  /** The runtime directory: libvirt/ in it is that of the daemon. */
  readonly rundir = mkdtempSync(join(tmpdir(), 'proxtop-rundir-'));
  readonly bridge = new LabBridge();
  private bridged = false;

  private constructor(readonly lab: LabLibvirtd) {
    symlinkSync(lab.sockets, join(this.rundir, 'libvirt'));
  }

  static async start(settings: readonly string[] = [], listen = false): Promise<LibvirtHost> {
    return new LibvirtHost(await LabLibvirtd.start(settings, listen));
  }

  /** The flags that lead proxtop to it. */
  get flags(): string[] {
    return ['--libvirt', '--rundir', this.rundir];
  }

  /** Sends frames to a domain's NIC; resolves when all have crossed its tap. */
  async send(to: LabNic, frames: number, bytes: number): Promise<void> {
    if (!this.bridged) await this.bridge.attach(to);
    this.bridged = true;
    await this.bridge.send(to, frames, bytes);
  }

  /** What virsh tells of a domain's statistics, and when (ms). */
  async domstats(name: string): Promise<{ readonly at: number; get(key: string): number }> {
    const before = performance.now();
    const text = await this.lab.virsh('domstats', name);
    const values = new Map([...text.matchAll(/^ *([\w.-]+)=(.*)$/gm)].map(([, key, value]) => [key, value]));
    return { at: (before + performance.now()) / 2, get: (key) => Number(values.get(key)) };
  }

  close(): void {
    this.lab.close();
    if (this.bridged) execFileSync('ip', ['link', 'del', this.bridge.name]);
    rmSync(this.rundir, { recursive: true });
  }
}

/** The row of a domain in a cycle. */
export function named(cycle: Cycle, name: string): Row | undefined {
  return cycle.domains.find((row) => row['name'] === name);
}

/** The text a row has under an id; empty where it has none. */
export function text(row: Row | undefined, id: string): string {
  const value = row?.[id];
  return typeof value === 'string' ? value : '';
}

/** Mean over cycles of a value, which each of them must have. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
