import { XdrError, XdrReader, XdrWriter } from './xdr.ts';

/** Programs that share a connection. */
export const program = { remote: 0x20008086, keepalive: 0x6b656570 } as const;

/** What a message is; calls are sent by us, replies and messages (events, keepalive) by the server. */
export const messageType = { call: 0, reply: 1, message: 2 } as const;

/** Procedures of the keepalive program; both sides may ask. */
export const keepalive = { ping: 1, pong: 2 } as const;

/** How a call ended: with a result or with an error structure. */
export const status = { ok: 0, error: 1 } as const;

/** Bytes of the length field and the header. */
const HEADER = 28;
/**
 * libvirt allows 32 MiB. The statistics of 1000 domains with 10 disks each have 6 MB; what a server only claims to have
 * is not collected.
 */
const LONGEST_MESSAGE = 8 * 1024 * 1024;
const VERSION = 1;
/** A buffer that a rare large message made larger than this is given up after it. */
const KEPT_BUFFER = 256 * 1024;

export interface Header {
  readonly program: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
}

/** One message ready to be sent: `write` adds its payload. */
export function encodeMessage(
  { program, procedure, type, serial, status }: Header,
  write?: (writer: XdrWriter) => void,
): Buffer {
  const writer = new XdrWriter();
  writer.uint(0).uint(program).uint(VERSION).int(procedure).uint(type).uint(serial).uint(status);
  write?.(writer);
  const bytes = writer.bytes();
  bytes.writeUInt32BE(bytes.length, 0);
  return bytes;
}

/**
 * Cuts the bytes of a connection into messages, wherever the chunks happen to be split.
 *
 * A message that lies whole in a chunk is not copied. Otherwise its pieces are collected in a buffer that doubles as
 * bytes arrive: a length that the peer only claims allocates nothing.
 */
export class MessageDecoder {
  private buffer = Buffer.alloc(0);
  private length = 0;

  /** @param handle gets each message; its payload may be read only until it returns */
  constructor(private readonly handle: (header: Header, payload: XdrReader) => void) {}

  /** Takes the next bytes. @throws XdrError where they cannot be libvirt's; the connection is then of no use. */
  push(chunk: Buffer): void {
    const bytes = this.length === 0 ? chunk : this.append(chunk);
    let start = 0;
    for (;;) {
      const end = start + messageLength(bytes, start);
      if (end > bytes.length) break;
      this.decode(bytes, start, end);
      start = end;
    }
    this.keep(bytes, start);
  }

  private decode(bytes: Buffer, start: number, end: number): void {
    const reader = new XdrReader(bytes.subarray(start + 4, end));
    const program = reader.uint();
    const version = reader.uint();
    if (version !== VERSION) throw new XdrError(`a message of protocol version ${version}`);
    const header = {
      program,
      procedure: reader.int(),
      type: reader.uint(),
      serial: reader.uint(),
      status: reader.uint(),
    };
    this.handle(header, reader);
  }

  /** Adds `chunk` to what is kept and returns all of it. */
  private append(chunk: Buffer): Buffer {
    const total = this.length + chunk.length;
    if (total > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(total, 2 * this.buffer.length));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    chunk.copy(this.buffer, this.length);
    this.length = total;
    return this.buffer.subarray(0, total);
  }

  /** Keeps what follows `start`, the beginning of a message, for the next chunk. */
  private keep(bytes: Buffer, start: number): void {
    const rest = bytes.subarray(start);
    if (this.buffer.length > KEPT_BUFFER && start > 0) this.buffer = Buffer.alloc(0);
    if (rest.length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(2 * rest.length);
    if (rest.length > 0 && (start > 0 || this.length === 0)) rest.copy(this.buffer);
    this.length = rest.length;
  }
}

/** The length of the message at `start`, checked; Infinity while its length field is not there yet. */
function messageLength(bytes: Buffer, start: number): number {
  if (bytes.length - start < 4) return Infinity;
  const length = bytes.readUInt32BE(start);
  if (length < HEADER || length > LONGEST_MESSAGE) {
    throw new XdrError(`a message of ${length} bytes, where ${HEADER} to ${LONGEST_MESSAGE} are allowed`);
  }
  return length;
}
