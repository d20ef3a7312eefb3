import { open, readFile, readdir, readlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { troubleOf } from '../base/errors.ts';
import { parseNumber } from '../base/number-file.ts';
import { isShortage } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';
import { brief, printable } from '../../base/strings/printable.ts';

/** One value that a chip of hardware monitoring measures. */
export interface Sensor {
  /** Unique among all sensors, and printable: `coretemp.0/Package id 0`, `nct6779@nct6775.656/fan2` where it has no label. */
  readonly name: string;
  readonly kind: 'temperature' | 'fan';
  /** Degrees Celsius from which on its driver calls it critical, else too high; NaN where it knows no limit. */
  readonly limit: number;
  /** Degrees Celsius or revolutions per minute; NaN where it was not known at the last read. */
  readonly value: number;
}

const MILLI = 1000;
/** Values outside are invalid: no hardware works there, and drivers return them where nothing is connected. */
const [COLDEST, HOTTEST] = [-273.15, 1000];
/** A limit of 0, 255 or, of an NVMe disk, 65261.85 degrees is not set. */
const LARGEST_LIMIT = 250;
/** More bytes than any file with a number has. */
const BUFFER = 64;
/** Characters of a label that are kept: firmware wrote it, and a file of sysfs can have 4096. */
const LONGEST_LABEL = 80;

/** A sensor, its files, which stay open, and what they say. */
class Input implements Sensor {
  value = NaN;
  limit = NaN;
  private readonly files = new Map<string, FileHandle>();
  private readonly buffer = Buffer.alloc(BUFFER);

  constructor(
    readonly name: string,
    readonly kind: Sensor['kind'],
    private readonly input: string,
    private readonly fault: string | undefined,
    private readonly limits: readonly string[],
  ) {}

  /** Reads the value. @returns false when the sensor is gone; any other failure leaves the value unknown */
  async read(): Promise<boolean> {
    try {
      const isFaulty = this.fault !== undefined && (await this.number(this.fault)) === 1;
      this.value = isFaulty ? NaN : this.plausible(await this.number(this.input));
      return true;
    } catch (error) {
      // EAGAIN, ENODATA, EIO, ENXIO and others: the hardware did not answer this time.
      isShortage(error);
      this.value = NaN;
      return troubleOf(error) !== 'gone' || isOnlyUnplugged(error);
    }
  }

  /** Reads the limit, which a tool may have set since: the first of its files that tells one. */
  async readLimit(): Promise<void> {
    let limit = NaN;
    for (const path of this.limits) {
      try {
        limit = (await this.number(path)) / MILLI;
      } catch (error) {
        isShortage(error);
      }
      if (limit > 0 && limit < LARGEST_LIMIT) break;
      limit = NaN;
    }
    this.limit = limit;
  }

  private plausible(number: number): number {
    if (this.kind === 'fan') return number >= 0 ? number : NaN;
    const degrees = number / MILLI;
    return degrees > COLDEST && degrees < HOTTEST ? degrees : NaN;
  }

  private async number(path: string): Promise<number> {
    let file = this.files.get(path);
    if (file === undefined) this.files.set(path, (file = await open(path)));
    const { bytesRead } = await file.read(this.buffer, 0, BUFFER, 0);
    return parseNumber(this.buffer.toString('latin1', 0, bytesRead).trim());
  }

  async close(): Promise<void> {
    const files = [...this.files.values()];
    this.files.clear();
    await Promise.allSettled(files.map((file) => file.close()));
  }
}

/** ENXIO: the driver is there, and says that nothing is plugged into this input. */
function isOnlyUnplugged(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENXIO';
}

/**
 * A chip of hardware monitoring: a directory of /sys/class/hwmon. Its files stay open. Reading them takes as long as its
 * bus or firmware does, and for ever where a disk hangs: nothing may wait for it.
 * Sources: Documentation/hwmon/sysfs-interface.rst, Documentation/ABI/testing/sysfs-class-hwmon.
 */
export class Chip {
  /** Empty until the first read. */
  sensors: readonly Sensor[] = [];
  /** When the last read ended, in monotonic ms; NaN before. */
  readAt = NaN;
  /** Whether a read is under way. */
  busy = false;
  /** Whether the chip was unplugged or its module unloaded. */
  gone = false;
  private inputs: readonly Input[] | undefined;
  private closed = false;

  /** @param identity distinguishes it from all others, also from one that gets its directory later */
  constructor(
    readonly identity: string,
    readonly name: string,
    private readonly directory: string,
  ) {}

  /** Reads all sensors, one after the other. Never rejects. @param limits whether to read their limits too */
  async read(limits: boolean): Promise<void> {
    this.busy = true;
    try {
      const known = this.inputs;
      this.inputs ??= await this.find();
      for (const input of this.inputs) {
        if (!(await input.read())) this.gone = true;
        if (limits || known === undefined) await input.readLimit();
      }
      this.sensors = this.inputs;
      this.readAt = performance.now();
    } catch (error) {
      isShortage(error);
      this.gone = true;
    } finally {
      this.busy = false;
      if (this.closed) await this.release();
    }
  }

  private async find(): Promise<readonly Input[]> {
    const files = await readdir(this.directory);
    const channels = files.flatMap((file) => {
      const [, kind, number] = /^(temp|fan)(\d+)_input$/.exec(file) ?? [];
      return kind === undefined ? [] : [{ kind, number: Number(number) }];
    });
    channels.sort((one, other) => other.kind.localeCompare(one.kind) || one.number - other.number);
    const taken = new Set<string>();
    const inputs: Input[] = [];
    for (const { kind, number } of channels) {
      const channel = `${kind}${number}`;
      const pathOf = (attribute: string): string | undefined =>
        files.includes(`${channel}_${attribute}`) ? this.pathOf(`${channel}_${attribute}`) : undefined;
      let name = `${this.name}/${(await textOf(pathOf('label'))) || channel}`;
      while (taken.has(name)) name += ` ${channel}`;
      taken.add(name);
      const isFan = kind === 'fan';
      const limits = isFan ? [] : [pathOf('crit'), pathOf('max')].filter((path) => path !== undefined);
      const input = this.pathOf(`${channel}_input`);
      inputs.push(new Input(name, isFan ? 'fan' : 'temperature', input, pathOf('fault'), limits));
    }
    return inputs;
  }

  private pathOf(file: string): string {
    return join(this.directory, file);
  }

  /** Closes the files, after a read that is under way. */
  async close(): Promise<void> {
    this.closed = true;
    if (!this.busy) await this.release();
  }

  private async release(): Promise<void> {
    await Promise.all((this.inputs ?? []).map((input) => input.close()));
  }
}

/**
 * A name or label; undefined where there is none. Firmware writes them, so they are made printable before they are
 * compared.
 * @throws where no descriptor is left: what is named without it would get another name later
 */
async function textOf(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return brief((await readFile(path, 'utf8')).trim(), LONGEST_LABEL);
  } catch (error) {
    if (isShortage(error)) throw error;
    return undefined;
  }
}

/** The chips that there are now; one that was known before is the same object. @throws where no descriptor is left */
export async function findChips(paths: Paths, known: readonly Chip[]): Promise<readonly Chip[]> {
  const found = await Promise.all((await entriesOf(paths.hwmon())).map((entry) => identify(paths, entry)));
  return found.map(({ entry, name, directory }) => {
    const isUnique = found.filter((chip) => chip.name === name).length === 1;
    const fullName = isUnique ? name : `${name}@${entry}`;
    const identity = `${entry} ${fullName}`;
    const same = known.find((chip) => chip.identity === identity && !chip.gone);
    return same ?? new Chip(identity, fullName, directory);
  });
}

async function entriesOf(directory: string): Promise<readonly string[]> {
  try {
    const entries = (await readdir(directory)).filter((entry) => /^hwmon\d+$/.test(entry));
    return entries.sort((one, other) => Number(one.slice(5)) - Number(other.slice(5)));
  } catch (error) {
    if (isShortage(error)) throw error;
    return [];
  }
}

interface FoundChip {
  readonly entry: string;
  readonly name: string;
  readonly directory: string;
}

/**
 * What a chip is called: after its driver and the device it sits on, as `nct6779@nct6775.656` and `k10temp@0000:00:18.3`, or the
 * device alone where its name begins with that of the driver, as `nvme0` and `coretemp.0`. Always with the device: a name must
 * not change when a second chip of its kind comes. The number of hwmonN follows from the order in which drivers were loaded.
 */
async function identify(paths: Paths, entry: string): Promise<FoundChip> {
  const own = paths.hwmon(entry);
  const ownName = await textOf(join(own, 'name'));
  // Drivers of the oldest kind have all files at the device, and none here.
  const directory = ownName === undefined ? join(own, 'device') : own;
  const driver = (ownName ?? (await textOf(join(directory, 'name')))) || entry;
  const device = await deviceOf(own);
  const name = device === undefined ? driver : device.startsWith(driver) ? device : `${driver}@${device}`;
  return { entry, name, directory };
}

/** `coretemp.0` of `../../devices/platform/coretemp.0/hwmon/hwmon3`; undefined for a chip that sits on no device. */
async function deviceOf(path: string): Promise<string | undefined> {
  try {
    const above = dirname(await readlink(path));
    const device = basename(above) === 'hwmon' ? dirname(above) : above;
    return basename(device) === 'virtual' ? undefined : printable(basename(device));
  } catch {
    return undefined;
  }
}
