import { StringDecoder } from 'node:string_decoder';
import { RecordingError } from '../errors.ts';
import { openSource } from './file.ts';

/** Characters of a line at most. */
const LONGEST_LINE = 64 << 20;

/** The lines of a file of text in UTF-8, or of a pipe, compressed or not, without their ends. @throws RecordingError */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const source = await openSource(path);
  try {
    yield* split(path, source.chunks);
  } finally {
    await source.close();
  }
}

async function* split(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  /** The pieces of the line that was begun. */
  let pieces: string[] = [];
  let begun = 0;
  for await (const chunk of chunks) {
    const lines = decoder.write(chunk).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      yield [...pieces, line].join('').replace(/\r$/, '');
      pieces = [];
      begun = 0;
    }
    pieces.push(rest);
    begun += rest.length;
    if (begun > LONGEST_LINE)
      throw new RecordingError(`${path}: a line has more than ${LONGEST_LINE >> 20} million characters`);
  }
  const last = pieces.join('') + decoder.end();
  if (last !== '') yield last;
}
