import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real QEMU process whose guest never runs, with its monitor. */
export class Qemu {
  readonly directory = mkdtempSync(join(tmpdir(), 'proxtop-qmp-'));
  readonly path = join(this.directory, 'qmp');
  readonly pid: number;

  /** Returns when the monitor listens: QEMU puts itself into the background only then. */
  constructor(args: readonly string[]) {
    const pidfile = join(this.directory, 'pid');
    const common = [
      '-nodefaults',
      '-nographic',
      '-m',
      '32',
      '-S',
      '-accel',
      'tcg',
      '-daemonize',
      '-pidfile',
      pidfile,
    ];
    execFileSync('qemu-system-x86_64', [...common, '-qmp', `unix:${this.path},server=on,wait=off`, ...args], {
      cwd: this.directory,
    });
    this.pid = Number(readFileSync(pidfile, 'utf8'));
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Stops the process; returns when it does nothing more. */
  freeze(): void {
    this.signal('SIGSTOP');
    while (!readFileSync(`/proc/${this.pid}/stat`, 'utf8').includes(') T '));
  }

  /** How many connections wait to be accepted, as the kernel counts them. */
  queued(): number {
    const line = execFileSync('ss', ['-xlH', 'src', this.path], { encoding: 'utf8' });
    return Number(line.trim().split(/\s+/)[2]);
  }

  stop(): void {
    try {
      this.signal('SIGKILL');
    } catch {
      // A test killed it already.
    }
    rmSync(this.directory, { recursive: true });
  }
}

/** Waits for a condition without an event; fails when it does not come true. */
export async function until(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 120_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`never true: ${String(condition)}`);
    await sleep(2);
  }
}

/** Runs `body` with a QEMU that is stopped afterwards, however the body ends. */
export async function withQemu(args: readonly string[], body: (qemu: Qemu) => Promise<void>): Promise<void> {
  const qemu = new Qemu(args);
  try {
    await body(qemu);
  } finally {
    qemu.stop();
  }
}

export const bare = ['-machine', 'none'];

function image(name: string): string {
  const directory = join(tmpdir(), `proxtop-images-${process.pid}`);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, '');
  truncateSync(path, 1024 * 1024);
  return path;
}

/** Removes the disks of {@link driveDisks} and {@link blockdevDisks}. */
export function removeImages(): void {
  rmSync(join(tmpdir(), `proxtop-images-${process.pid}`), { recursive: true, force: true });
}

let images = 0;
const balloon = ['-device', 'virtio-balloon,id=balloon0'];
const controller = ['-device', 'virtio-scsi-pci,id=scsihw0'];

/** The devices of a Proxmox VE guest with a machine version below 10: -drive. */
export function driveDisks(): string[] {
  const disk = (id: string): string[] => [
    '-drive',
    `file=${image(`${++images}.raw`)},if=none,id=drive-${id},format=raw`,
  ];
  return [
    ...['-machine', 'pc', ...balloon, ...controller],
    ...[...disk('scsi0'), '-device', 'scsi-hd,bus=scsihw0.0,drive=drive-scsi0,id=scsi0'],
    ...[...disk('virtio0'), '-device', 'virtio-blk-pci,drive=drive-virtio0,id=virtio0'],
    ...[
      '-drive',
      'if=none,id=drive-ide2,media=cdrom',
      '-device',
      'ide-cd,bus=ide.1,drive=drive-ide2,id=ide2',
    ],
  ];
}

/** The devices of a Proxmox VE guest with machine version 10 or later: -blockdev, each disk below a throttle node. */
export function blockdevDisks(): string[] {
  const disk = (id: string): string[] => {
    const number = ++images;
    const file = { driver: 'file', filename: image(`${number}.raw`), 'node-name': `e${number}` };
    const format = { driver: 'raw', 'node-name': `f${number}`, file };
    const top = {
      driver: 'throttle',
      'throttle-group': `throttle-${id}`,
      'node-name': `drive-${id}`,
      file: format,
    };
    return ['-object', `throttle-group,id=throttle-${id}`, '-blockdev', JSON.stringify(top)];
  };
  return [
    ...['-machine', 'pc', ...balloon, ...controller],
    ...[...disk('scsi0'), '-device', 'scsi-hd,bus=scsihw0.0,drive=drive-scsi0,id=scsi0'],
    ...[...disk('virtio0'), '-device', 'virtio-blk-pci,drive=drive-virtio0,id=virtio0'],
    ...['-device', 'ide-cd,bus=ide.1,id=ide2'],
  ];
}

/** Another client of a monitor: a plain one, made without the code under test. */
export class OtherClient {
  private readonly socket;
  private readonly lines;

  constructor(path: string) {
    this.socket = connect(path);
    this.lines = createInterface(this.socket)[Symbol.asyncIterator]();
  }

  /** The next message of the monitor, as text. */
  async next(): Promise<string> {
    const line = await this.lines.next();
    if (line.done === true) throw new Error('the monitor closed the connection');
    return line.value;
  }

  send(command: object): void {
    this.socket.write(JSON.stringify(command));
  }

  /** The next message that is no event. */
  async answer(): Promise<{ readonly error?: { readonly class: string }; readonly id?: unknown }> {
    for (;;) {
      const line = await this.next();
      if (!line.includes('"event"')) return JSON.parse(line) as object;
    }
  }

  async ask(execute: string, args: object = {}): Promise<string> {
    this.send({ execute, arguments: args });
    return JSON.stringify(await this.answer());
  }

  async negotiate(): Promise<void> {
    await this.next();
    await this.ask('qmp_capabilities');
  }

  close(): void {
    this.socket.destroy();
  }
}
