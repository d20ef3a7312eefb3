import { RecordingError } from '../../recording/errors.ts';
import { linesOf } from '../../recording/input/lines.ts';
import { InputError } from '../errors.ts';

/**
 * The lines of a file, compressed or not, with their numbers; without a byte order mark and empty lines at its end.
 * @throws InputError
 */
export async function* numberedLines(path: string): AsyncGenerator<readonly [line: string, number: number]> {
  let number = 0;
  let empty = 0;
  try {
    for await (const text of linesOf(path)) {
      number++;
      const line = number === 1 ? text.replace(/^\uFEFF/, '') : text;
      if (line.trim() === '') {
        empty++;
        continue;
      }
      for (; empty > 0; empty--) yield ['', number - empty];
      yield [line, number];
    }
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    throw new InputError(error.message);
  }
}
