import { setTimeout } from 'node:timers/promises';
import { findChips } from '../kernel/sys/hwmon.ts';
import type { Chip, Sensor } from '../kernel/sys/hwmon.ts';
import type { Paths } from '../kernel/base/paths.ts';
import { slots } from '../catalogue/catalogue.ts';
import type { Collector, HostTarget, Wanted } from './collector.ts';
import { now } from './readings.ts';
import { SlowBeat } from './slow-beat.ts';

const hostSlots = slots('sensors', 'host');
const sensorSlots = slots('sensors', 'host_sensor');

/**
 * Seconds between two reads. Temperatures change slowly, and each read is a transfer on a slow bus (I2C: milliseconds), a call of
 * ACPI's firmware, or a command to a disk.
 */
const READ_INTERVAL = 10;
/** Seconds between two searches for chips that came, and between two reads of the limits. */
const LOOK_INTERVAL = 60;
/** ms to wait for a chip before the next one is read. */
const DEADLINE = 2000;
/** Chips that may be left hanging: each keeps one of the four threads of Node's pool. */
const MOST_HANGING = 2;
/** ms after which values are too old to report. */
const TOO_OLD = 3 * READ_INTERVAL * 1000;

/**
 * Temperatures and fans of the host. They are read beside the cycles, which do not wait for slow hardware: a row has what was
 * read last.
 */
export class SensorCollector implements Collector {
  readonly name = 'sensors';
  /** Settled while nothing is being read. */
  reading: Promise<void> = Promise.resolve();
  private chips: readonly Chip[] = [];
  private isReading = false;
  private closed = false;
  private readonly readBeat = new SlowBeat(READ_INTERVAL);
  private readonly lookBeat = new SlowBeat(LOOK_INTERVAL);

  constructor(
    private readonly paths: Paths,
    private readonly wanted: Wanted,
  ) {}

  collect({ row, devices }: HostTarget): void {
    const time = now();
    if (!this.isReading && this.readBeat.due(time)) this.reading = this.read(this.lookBeat.due(time));
    const oldest = time * 1000 - TOO_OLD;
    let nearest: Sensor | undefined;
    for (const { sensors, readAt } of this.chips) {
      if (!(readAt >= oldest)) continue;
      for (const sensor of sensors) {
        if (Number.isNaN(sensor.value)) continue;
        if (sensor.kind === 'temperature') nearest = nearerToLimit(nearest, sensor);
        if (!this.wanted.devices) continue;
        const { values } = devices.sensors.add(sensor.name);
        const slot = sensor.kind === 'fan' ? sensorSlots.sensor_fan : sensorSlots.sensor_temp;
        values[slot] = sensor.value;
        values[sensorSlots.sensor_temp_limit] = sensor.limit;
      }
    }
    if (nearest === undefined) return;
    row.values[hostSlots.sensor_temp] = nearest.value;
    row.values[hostSlots.sensor_temp_limit] = nearest.limit;
  }

  /** Reads all chips, one after the other. Never rejects. @param look whether to look for chips that came and for new limits */
  private async read(look: boolean): Promise<void> {
    this.isReading = true;
    if (look || this.chips.some(({ gone }) => gone)) await this.look();
    for (const chip of this.chips) {
      const hanging = this.chips.filter(({ busy }) => busy).length;
      if (this.closed || hanging >= MOST_HANGING) break;
      if (!chip.busy) await Promise.race([chip.read(look), setTimeout(DEADLINE, undefined, { ref: false })]);
    }
    this.isReading = false;
  }

  private async look(): Promise<void> {
    const chips = await findChips(this.paths, this.chips).catch(() => undefined);
    // No descriptor was left: those known stay.
    if (chips === undefined) return;
    const left = this.chips.filter((chip) => !chips.includes(chip));
    this.chips = chips;
    for (const chip of this.closed ? [...left, ...chips] : left) void chip.close();
  }

  close(): void {
    this.closed = true;
    for (const chip of this.chips) void chip.close();
  }
}

/** The one with the larger share of its limit; one without a limit only counts where none has one, the hottest then. */
function nearerToLimit(one: Sensor | undefined, other: Sensor): Sensor {
  if (one === undefined) return other;
  const share = ({ value, limit }: Sensor): number => (limit > 0 ? value / limit : -Infinity);
  if (share(one) !== share(other)) return share(one) > share(other) ? one : other;
  return one.value >= other.value ? one : other;
}
