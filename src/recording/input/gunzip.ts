import { crc32, createInflateRaw } from 'node:zlib';
import { RecordingError } from '../errors.ts';
import { InputWindow } from './input-window.ts';

/** What members begin with: gzip (RFC 1952) and its only method. */
const mark = Buffer.from([0x1f, 0x8b, 0x08]);
const fixedBytes = 10;
const trailerBytes = 8;
const [HCRC, EXTRA, NAME, COMMENT] = [0x02, 0x04, 0x08, 0x10];
/** Bytes that are uncompressed at once. */
const PIECE = 1 << 16;
/** Bytes of text of a member that is small enough to be checked before it is used. */
const CHECKED = 32 << 20;
const lineEnd = Buffer.from('\n');

/**
 * The text of gzip members, one after the other. Damaged parts are skipped up to the next member and replaced by a line
 * end, so that unrelated data is not joined. A member with an extra field, as the minutes of a history have, is used as a
 * whole or not at all; of others that are torn off, what is there.
 *
 * @throws RecordingError when all of it is damaged
 */
export async function* gunzipped(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new InputWindow(chunks);
  let begun = false;
  while (await input.has(1)) {
    const body = await bodyOf(input);
    let damaged = body === undefined;
    if (body !== undefined) {
      const texts = member(input, body);
      let next = await texts.next();
      for (; next.done !== true; next = await texts.next()) {
        begun = true;
        yield next.value;
      }
      damaged = next.value;
    }
    if (!damaged) {
      input.forget();
      continue;
    }
    if (begun) yield lineEnd;
    input.back();
    if (await input.find(mark)) continue;
    if (!begun) throw new RecordingError(`${path}: cannot uncompress it: no intact part`);
    return;
  }
}

interface Body {
  /** Whether the member is to be used as a whole or not at all. */
  readonly whole: boolean;
}

/** Reads the header of a member; undefined where there is none. */
async function bodyOf(input: InputWindow): Promise<Body | undefined> {
  if (!(await input.has(fixedBytes))) return undefined;
  const head = input.take(fixedBytes);
  if (head.compare(mark, 0, mark.length, 0, mark.length) !== 0) return undefined;
  const flags = head[3] ?? 0;
  if ((flags & EXTRA) !== 0) {
    if (!(await input.has(2))) return undefined;
    const length = input.take(2).readUInt16LE();
    if (!(await input.has(length))) return undefined;
    input.take(length);
  }
  for (const text of [NAME, COMMENT]) if ((flags & text) !== 0 && !(await input.skipText())) return undefined;
  if ((flags & HCRC) !== 0) {
    if (!(await input.has(2))) return undefined;
    input.take(2);
  }
  return { whole: (flags & EXTRA) !== 0 };
}

/** Yields the text of a member. @returns whether it is damaged, and something else may stand behind it */
async function* member(input: InputWindow, { whole }: Body): AsyncGenerator<Buffer, boolean> {
  const inflater = new Inflater();
  /** Text that was not checked yet. */
  let held: Buffer[] = [];
  let size = 0;
  let crc = 0;
  try {
    for (let state: State = 'more'; state === 'more';) {
      if (!(await input.has(1))) {
        // Torn at the end: nothing follows.
        if (!whole) yield* held;
        return whole;
      }
      const piece = input.peek(PIECE);
      state = await inflater.write(piece);
      input.take(state === 'failed' ? 0 : inflater.used(piece));
      for (const text of inflater.take()) {
        crc = crc32(text, crc);
        size += text.length;
        held.push(text);
      }
      if (state === 'failed') {
        if (!whole) yield* held;
        return true;
      }
      if (size > CHECKED) {
        yield* held;
        held = [];
      }
    }
  } finally {
    inflater.close();
  }
  if (!(await input.has(trailerBytes))) {
    yield* held;
    return false;
  }
  const trailer = input.take(trailerBytes);
  if (trailer.readUInt32LE(0) !== crc || trailer.readUInt32LE(4) !== size % 2 ** 32) return true;
  yield* held;
  return false;
}

type State = 'more' | 'ended' | 'failed';

/** Uncompresses a body that comes in pieces, to its own end, wherever that is. */
class Inflater {
  private readonly inflate = createInflateRaw();
  private text: Buffer[] = [];
  private state: State = 'more';
  private before = 0;
  private settle: (state: State) => void = () => undefined;

  constructor() {
    const { inflate } = this;
    inflate.on('data', (data: Buffer) => this.text.push(data));
    inflate.on('end', () => {
      this.become('ended');
    });
    inflate.on('error', () => {
      this.become('failed');
    });
  }

  /** Uncompresses a piece, as far as the body goes. */
  write(piece: Buffer): Promise<State> {
    this.before = this.inflate.bytesWritten;
    return new Promise((resolve) => {
      this.settle = resolve;
      // At its end it says so, and does not call this.
      this.inflate.write(piece, () => {
        setImmediate(() => {
          resolve(this.state);
        });
      });
    });
  }

  /** Bytes of the last piece that belong to the body. */
  used(piece: Buffer): number {
    return Math.min(piece.length, this.inflate.bytesWritten - this.before);
  }

  /** What was uncompressed since it was asked last. */
  take(): Buffer[] {
    const { text } = this;
    this.text = [];
    return text;
  }

  close(): void {
    this.inflate.close();
  }

  private become(state: State): void {
    this.state = state;
    this.settle(state);
  }
}
