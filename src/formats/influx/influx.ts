import { columns, slots } from '../../catalogue/catalogue.ts';
import { perScope } from '../../catalogue/define.ts';
import type { PerScope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';
import { ByteWriter } from '../shared/byte-writer.ts';
import { PerCollectors, printedColumns } from '../shared/columns.ts';
import { stringField, tagValue } from './line-protocol.ts';
import type { Column } from '../shared/names.ts';
import type { Precision, Printer, PrinterSettings } from '../printer.ts';
import { eachRow, twinRows } from '../shared/rows.ts';
import { TextCache } from '../shared/text-cache.ts';

const SPACE = 0x20;
const INTEGER = 0x69;
/** Integers of line protocol have 64 bits. */
const tooLarge = 2 ** 63;

/** A text of a row that is written as a tag, its key ready: `,uuid=`. */
interface Tag {
  readonly key: Buffer;
  readonly slot: number;
}

/** A column that is written as a field, its key ready: `,cpu_total=`. */
interface Field extends Column {
  readonly key: Buffer;
}

const tag = (name: string, slot: number): Tag => ({ key: Buffer.from(`,${name}=`), slot });
const vm = slots('identity', 'vm');
/** Tags are written sorted by key, as InfluxDB likes them: `device`, `guest_type`, `host`, then those of a VM. */
const typeTags = [tag('guest_type', vm.guest_type)];
const vmTags = [tag('name', vm.name), tag('tags', vm.tags), tag('uuid', vm.UUID), tag('vmid', vm.vmid)];
/** For VMs that only their pids distinguish. */
const twinTags = [tag('name', vm.name), tag('pid', vm.pid), ...vmTags.slice(1)];
const hostTags = [tag('host', slots('host', 'host').host_name)];
/** What names a part besides what it is a part of: the device, the name of an output. */
const ownColumns = perScope((scope) => {
  const { parent, identity } = entityOf(scope);
  return parent === undefined ? [] : columns(scope).filter(({ id }) => identity.includes(id));
});
const ownTags = (before: boolean): PerScope<readonly Tag[]> =>
  perScope((scope) =>
    ownColumns[scope].filter(({ id }) => id < 'host' === before).map(({ id, slot }) => tag(id, slot)),
  );
const tagsBeforeHost = ownTags(true);
const tagsAfterHost = ownTags(false);
/** Slots of the texts that are tags and no fields. A VM's `host_name` is the tag `host` of every point. */
const tagSlots = perScope((scope) => [
  ...ownColumns[scope].map(({ slot }) => slot),
  ...(scope === 'vm' ? [...typeTags, ...vmTags].map(({ slot }) => slot) : []),
  ...columns(scope)
    .filter(({ id }) => id === 'host_name')
    .map(({ slot }) => slot),
]);
const measurements = perScope((scope) => Buffer.from(`proxtop_${scope}`));

/**
 * InfluxDB's line protocol: a point a row, `proxtop_<scope>`, with tags that say whose row it is and a field for each
 * value that is known; the pid of a VM is a tag where nothing else tells two VMs apart. Counts are integer fields, all other numbers floats, texts strings; a field never changes its
 * type. The point of the agent also has `run`, `seq` and `interval` of the sample. A row of which nothing is known has
 * no point.
 *
 * With layout `cycle` a sample is one record, with `event` a point is.
 */
export class InfluxPrinter implements Printer {
  private readonly settings: PrinterSettings;
  private readonly out = new ByteWriter();
  private readonly tags = new ByteWriter();
  private readonly tagValues = new TextCache(tagValue);
  private readonly strings = new TextCache(stringField);
  private readonly fields: PerCollectors<PerScope<readonly Field[]>>;

  constructor(settings: PrinterSettings) {
    this.settings = settings;
    this.fields = new PerCollectors((collectors) =>
      perScope((scope) =>
        printedColumns(scope, settings, collectors)
          .filter(({ text, slot }) => !(text && tagSlots[scope].includes(slot)))
          .map((column) => ({ ...column, key: Buffer.from(`,${fieldKey(column.id)}=`) })),
      ),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const out = this.out;
    const fields = this.fields.get(sample.collectors);
    const timestamp = Buffer.from(` ${timestampOf(sample.time, this.settings.precision ?? 'ns')}\n`);
    const host = this.tagsOf(hostTags, sample.host.row);
    let owner: Buffer = Buffer.alloc(0);
    let type = owner;
    const twins = twinRows(sample);
    const ends: number[] = [];
    eachRow(sample, this.settings.devices, (row, ofVm) => {
      const { scope } = row;
      const isTwin = twins.has(row);
      if (scope === 'vm') {
        owner = this.tagsOf(isTwin ? twinTags : vmTags, row);
        type = this.tagsOf(typeTags, row);
      }
      const isOfVm = scope === 'vm' || ofVm !== undefined;
      const begin = out.length;
      out.append(measurements[scope]);
      this.writeTags(out, tagsBeforeHost[scope], row);
      if (isOfVm) out.append(type);
      out.append(host);
      if (isOfVm) out.append(owner);
      this.writeTags(out, tagsAfterHost[scope], row);
      const end = out.length;
      this.writeFields(fields[scope], row, sample.interval, isTwin ? vm.pid : undefined);
      if (scope === 'agent' && fields.agent.length > 0) this.writeSample(sample);
      if (out.length === end) {
        out.truncate(begin);
        return;
      }
      // Each field starts with a comma; the first comma becomes the blank between tags and fields.
      out.replace(end, SPACE);
      out.append(timestamp);
      ends.push(out.length);
    });
    const lines = out.take();
    if (this.settings.layout === 'cycle') return lines.length === 0 ? [] : [lines];
    return ends.map((end, index) => lines.subarray(ends[index - 1] ?? 0, end));
  }

  private tagsOf(tags: readonly Tag[], row: Row): Buffer {
    this.writeTags(this.tags, tags, row);
    return this.tags.take();
  }

  private writeTags(out: ByteWriter, tags: readonly Tag[], { texts }: Row): void {
    for (const { key, slot } of tags) {
      const text = texts[slot];
      if (text === undefined || text === '') continue;
      out.append(key);
      out.append(this.tagValues.bytes(text));
    }
  }

  /** @param tagged slot of what is a tag of this point and no field, as no name should be both */
  private writeFields(
    fields: readonly Field[],
    { values, texts }: Row,
    interval: number,
    tagged: number | undefined,
  ): void {
    const out = this.out;
    for (const { key, text, whole, slot, read } of fields) {
      if (slot === tagged) continue;
      if (text) {
        const value = texts[slot];
        if (value === undefined) continue;
        out.append(key);
        out.append(this.strings.bytes(value));
        continue;
      }
      const value = read === undefined ? (values[slot] ?? NaN) : read(values, interval);
      if (!Number.isFinite(value) || (whole && Math.abs(value) >= tooLarge)) continue;
      out.append(key);
      if (whole) {
        out.number(Math.round(value));
        out.byte(INTEGER);
      } else {
        out.number(value);
      }
    }
  }

  private writeSample({ run, seq, interval }: Sample): void {
    const out = this.out;
    out.text(`,run=${stringField(run)},seq=${seq}i`);
    if (!Number.isFinite(interval)) return;
    out.text(',interval=');
    out.number(interval);
  }
}

/** The key of a field: our ids need no escape, some of the original program's do not either, but might. */
function fieldKey(id: string): string {
  return id.replace(/[,= ]/g, '\\$&');
}

function timestampOf(time: number, precision: Precision): string {
  switch (precision) {
    case 'ns':
      return `${time}000000`;
    case 'ms':
      return String(time);
    case 's':
      return String(Math.floor(time / 1000));
  }
}
