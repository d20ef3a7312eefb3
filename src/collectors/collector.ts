import type { Guest } from '../guests/guest.ts';
import type { CollectorName } from '../catalogue/catalogue.ts';
import type { PartLists } from '../catalogue/entities.ts';
import type { DeviceRows } from './device-rows.ts';
import type { Row } from '../catalogue/row.ts';

/** A VM and the rows that the collectors fill about it. */
export interface GuestTarget {
  readonly guest: Guest;
  readonly row: Row;
  readonly devices: PartLists<'vm', DeviceRows>;
  /** Rows like those of vCPUs of its other threads, where {@link Wanted.threads} asks for them. */
  readonly threads: DeviceRows;
}

/** The host and the rows that the collectors fill about it. */
export interface HostTarget {
  readonly row: Row;
  readonly devices: PartLists<'host', DeviceRows>;
}

/** What is wanted beyond the default metrics; nothing else is read. */
export interface Wanted {
  readonly verbose: boolean;
  /** Rows per vCPU, disk and NIC. */
  readonly devices: boolean;
  /** The VMs, by their keys, whose threads are wanted one by one; missing for none. */
  readonly threads?: { has(key: string): boolean };
}

/** Measures one subject, on the host and on every VM. */
export interface Collector {
  readonly name: CollectorName;
  /**
   * Reads the kernel's files, derives values from these readings and the ones before, and sets them in the rows, which
   * come cleared. What cannot be known is not set.
   * @param attend to be called before each guest at least, so that pressed keys are handled: with 1000 guests each collector
   *   takes long; missing without a view
   */
  collect(host: HostTarget, vms: readonly GuestTarget[], attend?: () => void): void;
  /** Releases descriptors. */
  close(): void;
}
