import { StringDecoder } from 'node:string_decoder';
import { RecordingError } from './errors.ts';
import { chunksOf, inflated, isCompressed, openFile } from './file.ts';

/** The lines of a file of text in UTF-8, compressed or not, without their ends. @throws RecordingError */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await openFile(path);
  try {
    yield* split((await isCompressed(file)) ? inflated(file) : chunksOf(file));
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw error;
    throw new RecordingError(`${path}: cannot uncompress it: ${(error as Error).message}`);
  } finally {
    await file.close();
  }
}

async function* split(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
