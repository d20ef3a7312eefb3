/** Reads requests of Prometheus's remote write 1.0, by the description of the format, for tests. */
export interface WrittenSeries {
  /** Names and values in the order in which they stand. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
  /** The bytes of the value, by which a NaN is told from another. */
  readonly bits: bigint;
  /** ms since 1970 */
  readonly time: number;
}

interface Field {
  readonly number: number;
  readonly value: Buffer | bigint;
}

/** The fields of a message. */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const type = tag & 7;
    if (type === 0) fields.push({ number: tag >> 3, value: varint() });
    else {
      const length = type === 1 ? 8 : Number(varint());
      fields.push({ number: tag >> 3, value: message.subarray(at, (at += length)) });
    }
  }
  if (at !== message.length) throw new RangeError('the message ends in the middle of a field');
  return fields;
}

function only(fields: readonly Field[], number: number): Buffer {
  const found = fields.filter((field) => field.number === number);
  if (found.length !== 1) throw new RangeError(`field ${number} is there ${found.length} times`);
  return found[0]!.value as Buffer;
}

/** The series of a request that is not compressed. */
export function seriesOf(request: Buffer): WrittenSeries[] {
  return fieldsOf(request).flatMap(({ number, value }) => {
    if (number === 3) return [];
    if (number !== 1) throw new RangeError(`field ${number} of a request`);
    const series = fieldsOf(value as Buffer);
    const labels = series
      .filter((field) => field.number === 1)
      .map((field) => {
        const label = fieldsOf(field.value as Buffer);
        return [only(label, 1).toString(), only(label, 2).toString()] as const;
      });
    const sample = fieldsOf(only(series, 2));
    const bytes = only(sample, 1);
    const time = sample.find((field) => field.number === 2)!.value as bigint;
    return { labels, value: bytes.readDoubleLE(), bits: bytes.readBigUInt64LE(), time: Number(time) };
  });
}

/** What a request says of families of series: `TYPE name help [unit]`, its type as the number it has. */
export function metadataOf(request: Buffer): string[] {
  return fieldsOf(request).flatMap(({ number, value }) => {
    if (number !== 3) return [];
    const fields = fieldsOf(value as Buffer);
    const type = fields.find((field) => field.number === 1)?.value;
    const unit = fields.filter((field) => field.number === 5).map((field) => String(field.value));
    return [[type, only(fields, 2), only(fields, 4), ...unit].join(' ')];
  });
}

/** Expands a block of Snappy. @throws RangeError for one that is not as the format wants it */
export function expand(block: Buffer): Buffer {
  let at = 0;
  let length = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = block[at++]!;
    length += (byte & 127) * factor;
    if (byte < 128) break;
  }
  const out = Buffer.alloc(length);
  let used = 0;
  while (at < block.length) {
    const tag = block[at++]!;
    if ((tag & 3) === 0) {
      let size = tag >> 2;
      const extra = size - 59;
      if (extra > 0) {
        size = block.readUIntLE(at, extra);
        at += extra;
      }
      size++;
      if (at + size > block.length || used + size > length) throw new RangeError('a literal is too long');
      block.copy(out, used, at, at + size);
      at += size;
      used += size;
      continue;
    }
    const short = (tag & 3) === 1;
    const size = short ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = short ? ((tag >> 5) << 8) | block[at]! : block.readUInt16LE(at);
    at += short ? 1 : 2;
    if (offset === 0 || offset > used || used + size > length) throw new RangeError('a copy from nowhere');
    for (let index = 0; index < size; index++, used++) out[used] = out[used - offset]!;
  }
  if (used !== length) throw new RangeError(`${used} bytes, expected ${length}`);
  return out;
}
