import { setImmediate as turn } from 'node:timers/promises';
import { entities } from '../../catalogue/entities.ts';
import { guestOf, isMerged } from '../../cluster/merge.ts';
import type { MergedSample } from '../../cluster/merge.ts';
import { createPrinter } from '../../formats/index.ts';
import { wholeSample } from '../../formats/printer.ts';
import { asFields } from '../../recording/format.ts';
import type { Fields } from '../../recording/format.ts';
import { emptyTree } from '../../recording/recorded-rows.ts';
import { SampleBuilder } from '../../recording/sample-builder.ts';
import type { Sample } from '../../sampling/sample.ts';
import { parseJson } from '../../base/untyped/values.ts';

/** How the samples of several nodes make one. */
interface ToldNodes {
  /** Each node with the number of its line behind this one; -1 where it had not told. */
  readonly nodes: readonly (readonly [name: string, line: number])[];
  /** The guests of all: node, number in its sample, key, key on its node. */
  readonly guests: readonly (readonly [node: number, guest: number, key: string, ownKey: string])[];
  readonly complaints: readonly string[];
}

/** Guests of one host that a line tells of: few enough that it is written and read in some ms. */
const GUESTS_OF_LINE = 100;

/**
 * Samples as lines of JSON and back. Of one host there is a line for each hundred guests, the first one with the host; of several
 * nodes there is a line about how they belong together, one of the host that watches, and one of each other node.
 */
export class SampleLines {
  private readonly printer = createPrinter('json', wholeSample);
  /** By the number of the line: a builder uses its rows again for its next sample. */
  private readonly builders: SampleBuilder[] = [];
  /** What stands in the lines of further guests. */
  private readonly nothing = { host: emptyTree('host'), agent: emptyTree('agent') };

  /** @param attend called between two lines that are written; missing where nobody looks */
  constructor(private readonly attend?: () => void) {}

  /** Has read the sample when the last line is there. */
  *print(sample: Sample): Iterable<Buffer> {
    if (isMerged(sample)) yield* this.printMerged(sample);
    else yield* this.printGuests(sample);
  }

  /**
   * The sample of lines; undefined where they are none. It is valid until the next one is read. The event loop turns between
   * lines.
   *
   * @param keys of the guests of one host, which no record tells; undefined of several nodes
   */
  async read(lines: readonly string[], keys: readonly string[] | undefined): Promise<Sample | undefined> {
    const [first = '', ...others] = lines;
    if (keys === undefined) return this.merged(JSON.parse(first) as ToldNodes, others);
    const parts: Fields[] = [];
    for (const line of lines) {
      const fields = asFields(parseJson(line));
      if (fields !== undefined) parts.push(fields);
      await turn();
    }
    const all = parts.flatMap((part) => part[entities.vm.member] as readonly unknown[]);
    const built = this.builderOf(0).build([{ ...parts[0], [entities.vm.member]: all }]);
    const guests = built?.guests.map((rows, index) => {
      const key = keys[index] ?? rows.guest.key;
      return { ...rows, guest: { ...rows.guest, key } };
    });
    return built && guests && { ...built, guests };
  }

  private *printGuests(sample: Sample): Iterable<Buffer> {
    const { guests } = sample;
    yield* this.printer.print({ ...sample, guests: guests.slice(0, GUESTS_OF_LINE) });
    for (let from = GUESTS_OF_LINE; from < guests.length; from += GUESTS_OF_LINE) {
      this.attend?.();
      const more = guests.slice(from, from + GUESTS_OF_LINE);
      yield* this.printer.print({ ...sample, ...this.nothing, guests: more });
    }
  }

  private *printMerged(sample: MergedSample): Iterable<Buffer> {
    const own = ownOf(sample);
    const samples = [own];
    const nodes = sample.nodes.map(({ name, sample: told }) => {
      if (told === undefined) return [name, -1] as const;
      const isOwn = told.run === own.run && told.seq === own.seq;
      return [name, isOwn ? 0 : samples.push(told) - 1] as const;
    });
    const told: ToldNodes = { nodes, guests: placesOf(sample), complaints: sample.complaints };
    yield Buffer.from(`${JSON.stringify(told)}\n`);
    for (const each of samples) {
      yield* this.printer.print(each);
      this.attend?.();
    }
  }

  private async merged(
    { nodes: told, guests: places, complaints }: ToldNodes,
    lines: readonly string[],
  ): Promise<MergedSample | undefined> {
    const samples: (Sample | undefined)[] = [];
    for (const [index, line] of lines.entries()) {
      const fields = asFields(parseJson(line));
      samples.push(fields && this.builderOf(index).build([fields]));
      await turn();
    }
    const [own] = samples;
    if (own === undefined) return undefined;
    const nodes = told.flatMap(([name, line], index) => {
      const row = own.agent.nodes[index];
      return row === undefined ? [] : [{ name, row, sample: samples[line] }];
    });
    const guests = places.flatMap(([at, number, key, ownKey]) => {
      const node = nodes[at];
      const rows = node?.sample?.guests[number];
      return node === undefined || rows === undefined ? [] : [guestOf(rows, node, key, ownKey)];
    });
    return { ...own, guests, nodes, complaints };
  }

  private builderOf(line: number): SampleBuilder {
    return (this.builders[line] ??= new SampleBuilder());
  }
}

/** What the host that watches told: its guests are those of its node, or none. */
function ownOf(sample: MergedSample): Sample {
  const { run, seq } = sample;
  const node = sample.nodes.find(({ sample: told }) => told?.run === run && told.seq === seq);
  return { ...sample, guests: node?.sample?.guests ?? [] };
}

function placesOf({ guests, nodes }: MergedSample): ToldNodes['guests'] {
  const numbers = new Map(nodes.map((node, index) => [node, index]));
  const rows = new Map(
    nodes.flatMap(({ sample }) => (sample?.guests ?? []).map(({ row }, index) => [row, index])),
  );
  return guests.map(({ node, row, guest, ownKey }) => [
    numbers.get(node) ?? -1,
    rows.get(row) ?? -1,
    guest.key,
    ownKey,
  ]);
}
