/** What ZFS counts of a data set, by its names: reads, writes, nread, nwritten. */
interface ObjsetCounts {
  readonly reads?: number;
  readonly writes?: number;
  readonly nread?: number;
  readonly nwritten?: number;
}

/**
 * A file objset-0x... as OpenZFS writes it (module/zfs/dataset_kstats.c and kstat_seq_show_named of spl-kstat.c): ZFS cannot be
 * had here.
 */
export function objset(dataset: string, counts: ObjsetCounts): string {
  const line = (name: string, type: number, value: string | number): string =>
    `${name.padEnd(31)} ${String(type).padEnd(4)} ${value}\n`;
  const { reads = 0, writes = 0, nread = 0, nwritten = 0 } = counts;
  return [
    '58 1 0x01 7 2160 5216443012 1232163287\n',
    'name                            type data\n',
    line('dataset_name', 7, dataset),
    ...Object.entries({ writes, nwritten, reads, nread, nunlinks: 0, nunlinked: 0 }).map(([name, value]) =>
      line(name, 4, value),
    ),
  ].join('');
}
