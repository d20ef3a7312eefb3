import type { PrintedSettings, StoreSettings } from './settings.ts';

/** Version of what records say; a new one where a receiver cannot take old and new ones in one stream. */
export const recordSchema = 1;

/**
 * Names the format of an output's records: those of one format can follow each other in one stream. Tables have the
 * columns of their settings, and line protocol has times in the unit that the URL tells the server.
 */
export function formatOf({ printer, print, select }: PrintedSettings): string {
  switch (printer) {
    case 'csv':
    case 'esxtop':
      return `${printer} ${JSON.stringify({ ...print, ...select })}`;
    case 'influx':
      return print.precision === undefined ? printer : `${printer} ${print.precision}`;
    case 'json':
    case 'msgpack':
    case 'otlp':
    case 'text':
    case 'remote-write':
      return printer;
  }
}

/** Standard output queues what a slow reader has not read. */
const stdoutQueue: StoreSettings = { queue: { maxBytes: 64 << 20, whenFull: 'drop_oldest' } };
/** Holds the burst of one cycle until the kernel accepts it, and records that arrive during the first name look-up. */
const udpQueue: StoreSettings = { queue: { maxBytes: 16 << 20, whenFull: 'drop_oldest' } };

/** Where the records of an output wait. */
export function storeOf(settings: PrintedSettings): StoreSettings {
  switch (settings.type) {
    case 'stdout':
      return stdoutQueue;
    case 'udp':
      return udpQueue;
    case 'file':
      return { queue: settings.queue };
    case 'tcp':
    case 'http': {
      const { queue, strict, spool, leftSpool } = settings;
      return {
        queue,
        ...(strict !== undefined && { strict }),
        ...(spool !== undefined && { spool }),
        ...(leftSpool !== undefined && { leftSpool }),
      };
    }
  }
}
