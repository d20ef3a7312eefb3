/** A field of a message: the number of a varint, the bytes of what is length-delimited. Others are passed over. */
export interface ReadField {
  readonly field: number;
  readonly value: bigint | Buffer;
}

/** Fields of a message that are read at most. */
const mostFields = 64;

/**
 * Reads the fields of one message, without those of messages in it. A message from a stranger may be cut or no message at
 * all: what is read before the damage is returned.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export function readFields(bytes: Buffer): readonly ReadField[] {
  const fields: ReadField[] = [];
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    return undefined;
  };
  while (at < bytes.length && fields.length < mostFields) {
    const tag = varint();
    if (tag === undefined) break;
    const field = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (type === 0) {
      const value = varint();
      if (value === undefined) break;
      fields.push({ field, value });
    } else if (type === 2) {
      const length = varint();
      if (length === undefined || length > BigInt(bytes.length - at)) break;
      fields.push({ field, value: bytes.subarray(at, at + Number(length)) });
      at += Number(length);
    } else if (type === 1 || type === 5) {
      at += type === 1 ? 8 : 4;
    } else {
      break;
    }
  }
  return fields;
}
