/** One line of proxtop's stream, printer json, layout cycle, as far as the demo shows it. */
export interface Cycle {
  readonly '@timestamp': string;
  readonly host: Row;
  readonly domains: readonly Row[];
}

type Row = Readonly<Record<string, unknown>>;

interface Column {
  readonly title: string;
  readonly width: number;
  /** Number shown for a guest and for the host; undefined where the stream does not tell. */
  readonly vm: (row: Row) => number | undefined;
  readonly host: (row: Row) => number | undefined;
}

const MIB = 2 ** 20;
const NAME_WIDTH = 16;
const VMID_WIDTH = 8;

const columns: readonly Column[] = [
  { title: 'CPU %', width: 7, vm: value('cpu_total'), host: busy },
  { title: 'RDY %', width: 7, vm: value('cpu_steal'), host: () => undefined },
  { title: 'RD/s', width: 7, vm: value('disk_reads'), host: value('disk_reads') },
  { title: 'WR/s', width: 7, vm: value('disk_writes'), host: value('disk_writes') },
  { title: 'WR ms', width: 7, vm: value('disk_lat_wr'), host: value('disk_await') },
  { title: 'RX Mb/s', width: 9, vm: value('net_rx_mbit'), host: value('net_rx_mbit') },
  { title: 'TX Mb/s', width: 9, vm: value('net_tx_mbit'), host: value('net_tx_mbit') },
  { title: 'RSS MiB', width: 9, vm: value('ram_rss', MIB), host: () => undefined },
];

/** A received cycle as a small table: the guests by name, then the host. What the stream leaves out is a dash. */
export function cycleTable(cycle: Cycle): string {
  const names = cycle.domains.toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
  const time = new Date(cycle['@timestamp']).toLocaleTimeString('en-GB');
  return [
    line(
      time,
      'VMID',
      columns.map(({ title }) => title),
    ),
    ...names.map((row) =>
      line(
        String(row['name']),
        String(row['vmid'] ?? row['guest_type']),
        columns.map(({ vm }) => number(vm(row))),
      ),
    ),
    line(
      'host',
      '',
      columns.map(({ host }) => number(host(cycle.host))),
    ),
    '',
  ].join('\n');
}

function line(name: string, vmid: string, cells: readonly string[]): string {
  const padded = cells.map((cell, index) => cell.padStart(columns[index]?.width ?? 0));
  return name.padEnd(NAME_WIDTH) + vmid.padStart(VMID_WIDTH) + padded.join('');
}

function value(id: string, unit = 1): (row: Row) => number | undefined {
  return (row) => {
    const found = row[id];
    return typeof found === 'number' ? found / unit : undefined;
  };
}

function busy(row: Row): number | undefined {
  const idle = value('cpu_idle')(row);
  return idle === undefined ? undefined : 100 - idle;
}

function number(found: number | undefined): string {
  return found === undefined ? '-' : found.toFixed(1);
}
