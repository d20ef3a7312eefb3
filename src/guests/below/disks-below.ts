import { Counters } from '../../kernel/base/counters.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { BelowReading, DiskReading } from '../guest.ts';
import type { HostCounts, HostDevice, HostDevices } from './host-device.ts';
import type { DiskPlace } from './open-disks.ts';
import { findPlaces } from './open-disks.ts';

/** Seconds between two checks of which devices the disks lie on. */
const BEAT = 300;

interface Known extends DiskPlace {
  readonly device: HostDevice;
  /** What it counted at the last reading; undefined before that, and where it could not be read. */
  reading: HostCounts | undefined;
}

/**
 * The block devices, and file systems of ZFS, below the disks of one VM. They are read when the monitor has just answered, so that both count over the
 * same time: 3 us for a disk. Finding them takes 0.2 ms, when an image came or went and every five minutes.
 */
export class DisksBelow {
  /** By the path of the image; undefined for one without any. */
  private readonly known = new Map<string, Known | undefined>();
  private lookedAt = -Infinity;

  constructor(
    private readonly paths: Paths,
    private readonly pid: number,
    private readonly devices: HostDevices,
  ) {}

  /** Takes a reading of all that are known. */
  read(): void {
    for (const known of this.known.values()) {
      if (known === undefined) continue;
      const { counters, objset } = known.device.read();
      const isTold = counters !== undefined || objset !== undefined;
      known.reading = isTold ? { counters: copyOf(counters), objset: copyOf(objset) } : undefined;
    }
  }

  /** Looks for the devices, if it is time for it. @param images the paths of all disks @param time monotonic seconds */
  follow(images: readonly string[], time: number): void {
    const isNew = images.some((image) => !this.known.has(image));
    if (!isNew && time - this.lookedAt < BEAT) return;
    const places = findPlaces(this.paths, this.pid, images);
    if (places === undefined) return;
    this.lookedAt = time;
    for (const [image, known] of this.known) {
      if (images.includes(image) && isSame(places.get(image), known)) continue;
      this.forget(image, known);
    }
    for (const image of images)
      if (!this.known.has(image)) this.known.set(image, this.take(places.get(image)));
  }

  /**
   * Adds to the readings of disks what {@link read} read of the devices below them, and finds the devices of the others.
   * @param time monotonic seconds
   */
  under(disks: readonly DiskReading[], time: number): void {
    this.follow(
      disks.flatMap(({ path }) => path ?? []),
      time,
    );
    for (const disk of disks) disk.below = this.of(disk.path);
  }

  /** What {@link read} read for an image. */
  of(image: string | undefined): BelowReading | undefined {
    const known = image === undefined ? undefined : this.known.get(image);
    if (known?.reading === undefined) return undefined;
    const { device, isOwn, isDirect, reading } = known;
    // The counters of a volume that two disks use, or that also holds a file system, say nothing about one of them.
    const isPrivate = isOwn && device.holders === 1;
    return { device: device.name, isPrivate, isDirect, ...reading };
  }

  private take(place: DiskPlace | undefined): Known | undefined {
    const device = place && this.devices.use(place.numbers, place.dataset);
    return device && { ...place, device, reading: undefined };
  }

  private forget(image: string, known: Known | undefined): void {
    if (known !== undefined) this.devices.release(known.device);
    this.known.delete(image);
  }

  close(): void {
    for (const [image, known] of this.known) this.forget(image, known);
  }
}

function isSame(place: DiskPlace | undefined, known: Known | undefined): boolean {
  return (
    place?.numbers === known?.numbers &&
    place?.dataset === known?.dataset &&
    place?.isOwn === known?.isOwn &&
    place?.isDirect === known?.isDirect
  );
}

function copyOf(counters: Counters | undefined): Counters | undefined {
  if (counters === undefined) return undefined;
  const copy = new Counters(counters.length);
  copy.copy(counters);
  return copy;
}
