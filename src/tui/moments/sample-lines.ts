import { isMerged } from '../../cluster/merge.ts';
import type { MergedSample } from '../../cluster/merge.ts';
import { createPrinter } from '../../formats/index.ts';
import { asFields } from '../../recording/format.ts';
import { SampleBuilder } from '../../recording/sample-builder.ts';
import type { Sample } from '../../sampling/sample.ts';
import { parseJson } from '../../untyped/values.ts';

/** How the samples of several nodes make one. */
interface ToldNodes {
  /** Each node with the number of its line behind this one; -1 where it had not told. */
  readonly nodes: readonly (readonly [name: string, line: number])[];
  /** The guests of all: node, number in its sample, key, key on its node. */
  readonly guests: readonly (readonly [node: number, guest: number, key: string, ownKey: string])[];
  readonly complaints: readonly string[];
}

/**
 * Samples as lines of JSON and back. That of one host is a line; of several nodes there is a line about how they belong together, one of
 * the host that watches, and one of each other node.
 */
export class SampleLines {
  private readonly printer = createPrinter('json', {
    layout: 'cycle',
    verbose: true,
    devices: true,
    human: false,
    names: 'proxtop',
  });
  /** By the number of the line: a builder uses its rows again for its next sample. */
  private readonly builders: SampleBuilder[] = [];

  /** Has read the sample when it returns. */
  print(sample: Sample): readonly Buffer[] {
    if (!isMerged(sample)) return this.printer.print(sample).map((line) => Buffer.from(line));
    const own = ownOf(sample);
    const samples = [own];
    const nodes = sample.nodes.map(({ name, sample: told }) => {
      if (told === undefined) return [name, -1] as const;
      const isOwn = told.run === own.run && told.seq === own.seq;
      return [name, isOwn ? 0 : samples.push(told) - 1] as const;
    });
    const told: ToldNodes = { nodes, guests: placesOf(sample), complaints: sample.complaints };
    const lines = samples.flatMap((each) => [...this.printer.print(each)]);
    return [Buffer.from(`${JSON.stringify(told)}\n`), ...lines.map((line) => Buffer.from(line))];
  }

  /**
   * The sample of lines; undefined where they are none. It is valid until the next one is read.
   *
   * @param keys of the guests of one host, which no record tells
   */
  read(lines: readonly string[], keys: readonly string[]): Sample | undefined {
    const [first = '', ...others] = lines;
    if (others.length > 0) return this.merged(JSON.parse(first) as ToldNodes, others);
    const built = this.built(first, 0);
    const guests = built?.guests.map((rows, index) => {
      const key = keys[index] ?? rows.guest.key;
      return { ...rows, guest: { ...rows.guest, key } };
    });
    return built && guests && { ...built, guests };
  }

  private merged(
    { nodes: told, guests: places, complaints }: ToldNodes,
    lines: readonly string[],
  ): MergedSample | undefined {
    const samples = lines.map((line, index) => this.built(line, index));
    const [own] = samples;
    if (own === undefined) return undefined;
    const nodes = told.flatMap(([name, line], index) => {
      const row = own.agent.nodes[index];
      return row === undefined ? [] : [{ name, row, sample: samples[line] }];
    });
    const guests = places.flatMap(([at, number, key, ownKey]) => {
      const node = nodes[at];
      const rows = node?.sample?.guests[number];
      return node === undefined || rows === undefined
        ? []
        : [{ ...rows, guest: { ...rows.guest, key }, node, ownKey }];
    });
    return { ...own, guests, nodes, complaints };
  }

  private built(line: string, number: number): Sample | undefined {
    const fields = asFields(parseJson(line));
    return fields && (this.builders[number] ??= new SampleBuilder()).build([fields]);
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
