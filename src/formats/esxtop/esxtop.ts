import { slots } from '../../catalogue/catalogue.ts';
import type { Sample } from '../../sampling/sample.ts';
import { ByteWriter } from '../shared/byte-writer.ts';
import type { Printer } from '../printer.ts';
import { HostColumns, withoutColumns } from './host-columns.ts';

const { host_name } = slots('host', 'host');

const parts = {
  begin: Buffer.from('"'),
  end: Buffer.from('"\n'),
};

/** The samples of one tick of a cluster, as far as they have come. */
interface Tick {
  readonly time: string;
  /** By the name of the host; written as they come, as the next samples fill the same rows. */
  readonly cells: Map<string, Buffer>;
}

/**
 * The wide CSV of esxtop's batch mode, of the host and its VMs (esxtop's columns do not fit containers), in the form of the
 * perfmon logs of Windows: a line for each sample, a column for each counter, `\\host\Group(instance)\Counter`, every cell
 * in quotes, times in UTC. What is not known is NaN: an empty cell ends readers that expect a number, which take it for one
 * in Python, JavaScript and C.
 *
 * The columns are those of the VMs and devices of the first sample, since readers expect one header. Later ones have none;
 * those that have ended have NaN in their cells, until they come back. Of VMs with the same UUID and vmid each keeps its
 * own columns, by its pid. {@link begin} starts a new table. Of a cluster a line has the columns of all nodes that told
 * within the first tick, and is printed when the next tick begins. Percentages of a group are sums over the vCPUs, as in
 * esxtop. Names are made such that readers can split them.
 */
export class EsxtopPrinter implements Printer {
  private readonly out = new ByteWriter();
  /** By the name of the host, in the order of the columns. */
  private readonly hosts = new Map<string, HostColumns>();
  private ofCluster = false;
  /** Of a cluster, while its nodes tell. */
  private tick: Tick | undefined;
  /** Whether the header was printed, and who has columns is decided. */
  private headed = false;
  private readonly late = new Set<string>();

  print(sample: Sample): readonly Buffer[] {
    // The host that watches others is the first one to tell at a tick.
    if (sample.agent.nodes.length > 0) {
      const records = this.end();
      this.ofCluster = true;
      this.tick = { time: timeOf(sample), cells: new Map() };
      this.take(this.tick, sample);
      return records;
    }
    if (this.ofCluster) {
      if (this.tick !== undefined) this.take(this.tick, sample);
      return [];
    }
    const columns = this.columnsOf('', sample);
    return [
      ...this.header(),
      this.line(timeOf(sample), () => {
        columns?.writeCells(this.out, sample);
      }),
    ];
  }

  begin(): void {
    this.hosts.clear();
    this.late.clear();
    this.headed = false;
    this.tick = undefined;
  }

  /** Prints the line of the tick that has begun. */
  end(): readonly Buffer[] {
    const { tick, out } = this;
    if (tick === undefined) return [];
    this.tick = undefined;
    const header = this.header();
    return [
      ...header,
      this.line(tick.time, () => {
        for (const [host, columns] of this.hosts) {
          const cells = tick.cells.get(host);
          if (cells === undefined) columns.writeCells(out, undefined);
          else out.append(cells);
        }
      }),
    ];
  }

  private take({ cells }: Tick, sample: Sample): void {
    const host = sample.host.row.texts[host_name] ?? 'localhost';
    const columns = this.columnsOf(host, sample);
    if (columns === undefined) return;
    columns.writeCells(this.out, sample);
    cells.set(host, this.out.take());
  }

  /** The columns of a host; undefined for one that came after the header. @param key of it: a host alone may change its name */
  private columnsOf(key: string, sample: Sample): HostColumns | undefined {
    const known = this.hosts.get(key);
    if (known !== undefined) return known;
    const host = sample.host.row.texts[host_name] ?? 'localhost';
    if (this.headed) {
      if (!this.late.has(host)) withoutColumns.publish(host);
      this.late.add(host);
      return undefined;
    }
    const columns = new HostColumns(host, sample);
    this.hosts.set(key, columns);
    return columns;
  }

  /** The header, once. */
  private header(): readonly Buffer[] {
    if (this.headed) return [];
    this.headed = true;
    const { out } = this;
    out.append(parts.begin);
    out.text('(PDH-CSV 4.0) (UTC)(0)');
    for (const columns of this.hosts.values()) columns.writeHeadings(out);
    out.append(parts.end);
    return [out.take()];
  }

  private line(time: string, write: () => void): Buffer {
    const { out } = this;
    out.append(parts.begin);
    out.text(time);
    write();
    out.append(parts.end);
    return out.take();
  }
}

/** `MM/DD/YYYY hh:mm:ss`, the nearest second: esxtop tells no fractions, and readers expect none. */
function timeOf({ time }: Sample): string {
  const [date = '', clock = ''] = new Date(Math.round(time / 1000) * 1000).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  return `${month}/${day}/${year} ${clock.slice(0, 8)}`;
}
