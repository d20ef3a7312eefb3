import type { MetricTable } from './define.ts';

/** I/O of the QEMU process. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const io = {
  vm: [
    ['io_read_mib', 'MBRD/s', 'MiB per second', 'rate', 'default', '/proc/<pid>/io read_bytes', 'rate/2^20', 'io_MBRD/s'],
    ['io_write_mib', 'MBWR/s', 'MiB per second', 'rate', 'default', '/proc/<pid>/io write_bytes', 'rate/2^20', 'io_MBWR/s'],
    ['io_read_ops', 'RDOPS', 'per second', 'rate', 'default', '/proc/<pid>/io syscr', 'rate of read-like system calls', 'io_RDOPS'],
    ['io_write_ops', 'WROPS', 'per second', 'rate', 'default', '/proc/<pid>/io syscw', 'rate of write-like system calls', 'io_WROPS'],
    ['io_read_bytes', 'READ_BYTES', 'bytes per second', 'rate', 'verbose', '/proc/<pid>/io read_bytes', 'rate', ''],
    ['io_write_bytes', 'WRITE_BYTES', 'bytes per second', 'rate', 'verbose', '/proc/<pid>/io write_bytes', 'rate', ''],
    ['io_rchar', 'RCHAR', 'bytes per second', 'rate', 'verbose', '/proc/<pid>/io rchar', 'rate', 'io_rchar'],
    ['io_wchar', 'WCHAR', 'bytes per second', 'rate', 'verbose', '/proc/<pid>/io wchar', 'rate', 'io_wchar'],
    ['io_cancelled_write_bytes', 'CANCELLED_WRITE_BYTES', 'bytes per second', 'rate', 'verbose', '/proc/<pid>/io cancelled_write_bytes', 'rate', 'io_cancelled'],
  ],
} as const satisfies MetricTable;
