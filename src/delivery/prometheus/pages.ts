import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { PageFormat } from '../../formats/prometheus/page.ts';
import type { Sample } from '../../sampling/sample.ts';

const compress = promisify(gzip);
/** Of the nine levels the fastest: on pages as repetitive as these, the others take three times as long for a third less. */
const LEVEL = 1;

/** The pages of the latest sample, each made when it is asked for first, and once. */
export class Pages {
  private readonly print: (sample: Sample, format: PageFormat) => Buffer;
  private sample: Sample | undefined;
  private readonly plainPages = new Map<PageFormat, Buffer>();
  private readonly compressedPages = new Map<PageFormat, Promise<Buffer>>();

  constructor(print: (sample: Sample, format: PageFormat) => Buffer) {
    this.print = print;
  }

  /** Takes a sample in place of the one before. */
  replace(sample: Sample): void {
    this.sample = sample;
    this.plainPages.clear();
    this.compressedPages.clear();
  }

  /** Undefined before the first sample. Throws what the printer throws. */
  plain(format: PageFormat): Buffer | undefined {
    if (this.sample === undefined) return undefined;
    let page = this.plainPages.get(format);
    if (page === undefined) {
      page = this.print(this.sample, format);
      this.plainPages.set(format, page);
    }
    return page;
  }

  /** The same, compressed beside the event loop. */
  compressed(format: PageFormat): Promise<Buffer> | undefined {
    const page = this.plain(format);
    if (page === undefined) return undefined;
    let result = this.compressedPages.get(format);
    if (result === undefined) {
      result = compress(page, { level: LEVEL });
      this.compressedPages.set(format, result);
    }
    return result;
  }
}
