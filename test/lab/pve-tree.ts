import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A directory like /etc/pve of Proxmox VE with the VMs of one node: their configurations, and the two files by which
 * pmxcfs announces changes. Files are replaced by renaming, as Proxmox VE does.
 */
export class PveTree {
  private readonly versions = new Map<number, number>();
  private readonly started = Math.floor(Date.now() / 1000);
  private listVersion = 0;

  constructor(
    readonly directory: string,
    readonly node: string,
  ) {
    mkdirSync(join(directory, 'nodes', node, 'qemu-server'), { recursive: true });
    mkdirSync(join(directory, 'nodes', node, 'lxc'));
    symlinkSync(join('nodes', node), join(directory, 'local'));
    symlinkSync('local/qemu-server', join(directory, 'qemu-server'));
    symlinkSync('local/lxc', join(directory, 'lxc'));
    this.announce();
  }

  /** Writes the configuration of a VM, new or changed. */
  write(vmid: number, text: string): void {
    this.replace(this.configFile(vmid), text);
    this.versions.set(vmid, ++this.listVersion);
    this.announce();
  }

  /** Takes the configuration of a VM away, as at the end of a migration. */
  remove(vmid: number): void {
    rmSync(join(this.directory, this.configFile(vmid)));
    this.versions.delete(vmid);
    this.listVersion++;
    this.announce();
  }

  private configFile(vmid: number): string {
    return join('nodes', this.node, 'qemu-server', `${vmid}.conf`);
  }

  private announce(): void {
    const vms = [...this.versions].map(
      ([vmid, version]) => `"${vmid}": { "node": "${this.node}", "type": "qemu", "version": ${version} }`,
    );
    this.replace('.vmlist', `{\n"version": ${this.listVersion},\n"ids": {\n${vms.join(',\n')}\n}\n}\n`);
    this.replace(
      '.version',
      `{\n"starttime": ${this.started},\n"clinfo": 1,\n"vmlist": ${this.listVersion}\n}\n`,
    );
  }

  private replace(file: string, text: string): void {
    const path = join(this.directory, file);
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  }
}
