import { perScope } from '../../catalogue/define.ts';
import type { PerScope } from '../../catalogue/define.ts';
import { isDevice } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Sample } from '../../sampling/sample.ts';
import { bounded, wellFormed } from '../../base/strings/printable.ts';
import { ownLabels, pidLabel } from '../prometheus/labels.ts';
import type { Labels } from '../prometheus/labels.ts';
import { ProtobufWriter } from '../protobuf/protobuf-writer.ts';
import { eachRow, twinRows } from '../shared/rows.ts';
import { field } from './fields.ts';
import { HostStart, agentStart, guestStart } from './start-times.ts';
import type { StartTimes } from './start-times.ts';

const NS_PER_MS = 1_000_000n;
const { guest_type: TYPE } = slots('identity', 'vm');
const none = Buffer.alloc(0);

/** Writes an attribute. @param number of the field that holds it */
export function writeAttribute(out: ProtobufWriter, number: number, key: string, value: string): void {
  const attribute = out.begin(number);
  out.string(field.keyValue.key, key);
  const text = out.begin(field.keyValue.value);
  out.string(field.anyValue.text, wellFormed(bounded(value)));
  out.end(text);
  out.end(attribute);
}

/** Attributes as fields of one number, ready to be appended. */
export function attributeBytes(out: ProtobufWriter, number: number, labels: Labels): Buffer {
  for (const [key, value] of labels)
    if (value !== undefined && value !== '') writeAttribute(out, number, key, value);
  return out.take();
}

/** A fixed64 field with a time. @param ms since 1970 */
export function timeBytes(out: ProtobufWriter, number: number, ms: number): Buffer {
  out.fixed64(number, BigInt(Math.round(ms)) * NS_PER_MS);
  return out.take();
}

/** Start times as fields; empty where not known, or where the clock was set back behind them. */
export interface StartFields {
  readonly sums: Buffer;
  readonly readings: Buffer;
}

/** A row with what its points have in common. Attributes are encoded once for each use: number of their field, name of the device. */
export class PointRow {
  private readonly known = new Map<string, Buffer>();

  /** @param devices the rows of its devices that are printed too @param owner the row that it is a part of */
  constructor(
    readonly row: Row,
    readonly devices: readonly Row[],
    readonly isContainer: boolean,
    readonly start: StartFields,
    private readonly labels: Labels,
    private readonly owner: PointRow | undefined,
    private readonly out: ProtobufWriter,
  ) {}

  /** @param number of the field of attributes @param device what the label `device` is called */
  attributes(number: number, device: string): Buffer {
    const key = `${number} ${device}`;
    let bytes = this.known.get(key);
    if (bytes === undefined) {
      const renamed =
        device === 'device'
          ? this.labels
          : this.labels.map(([name, value]) => [name === 'device' ? device : name, value] as const);
      const own = attributeBytes(this.out, number, renamed);
      // That of the guest has no device, and so is the same for all names of one.
      bytes = this.owner === undefined ? own : Buffer.concat([this.owner.attributes(number, 'device'), own]);
      this.known.set(key, bytes);
    }
    return bytes;
  }
}

/** Makes the rows of samples ready for points. */
export class PointRows {
  private readonly hostStart = new HostStart();
  private readonly out = new ProtobufWriter();

  constructor(private readonly devices: boolean) {}

  of(sample: Sample): PerScope<readonly PointRow[]> {
    const found = perScope((): PointRow[] => []);
    const twins = twinRows(sample);
    const host = this.fields(this.hostStart.of(sample), sample.time);
    const agent = this.fields(agentStart(sample), sample.time);
    const guests = new Map(sample.guests.map((rows) => [rows.row, rows]));
    let owner: PointRow | undefined;
    let devices: Row[] = [];
    eachRow(sample, this.devices, (row, vm) => {
      const guest = guests.get(row);
      let start = owner?.start;
      if (row.scope.startsWith('host')) start = host;
      else if (row.scope.startsWith('agent')) start = agent;
      else if (guest !== undefined) start = this.fields(guestStart(guest), sample.time);
      const isContainer = (vm ?? row).scope === 'vm' && (vm ?? row).texts[TYPE] !== 'qemu';
      const own = ownLabels(row);
      const labels = twins.has(row) ? [...own, ...pidLabel(row)] : own;
      const parent = vm === undefined ? undefined : owner;
      // Devices stand behind what they are parts of.
      if (isDevice(row.scope)) devices.push(row);
      else devices = [];
      const parts = isDevice(row.scope) ? noDevices : devices;
      const point = new PointRow(row, parts, isContainer, start ?? noStart, labels, parent, this.out);
      if (row.scope === 'vm') owner = point;
      found[row.scope].push(point);
    });
    return found;
  }

  private fields({ sums, readings }: StartTimes, time: number): StartFields {
    const bytes = (ms: number | undefined): Buffer =>
      ms === undefined || ms > time ? none : timeBytes(this.out, field.point.start, ms);
    return { sums: bytes(sums), readings: bytes(readings) };
  }
}

const noDevices: readonly Row[] = [];
const noStart: StartFields = { sums: none, readings: none };
