import { SampleBuilder } from './sample-builder.ts';

/** Runs whose rows are kept at once: more than there are hosts in a recording. */
const MOST = 256;

/** A builder of samples for each run: rows and what was seen are those of one host. */
export class Builders {
  private readonly builders = new Map<string, SampleBuilder>();

  /** @param peaks whether rows have slots for the largest values too, and these are read */
  constructor(private readonly peaks: boolean) {}

  of(run: string): SampleBuilder {
    let builder = this.builders.get(run);
    if (builder !== undefined) return builder;
    if (this.builders.size >= MOST) this.builders.clear();
    this.builders.set(run, (builder = new SampleBuilder(this.peaks)));
    return builder;
  }
}
