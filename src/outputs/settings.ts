import type { PrinterName } from '../printers/index.ts';
import type { PrinterSettings } from '../printers/printer.ts';

/** How much waits for a destination that does not take it, and what is given up beyond that. */
export interface QueueSettings {
  readonly maxBytes: number;
  readonly whenFull: 'drop_oldest' | 'drop_newest';
}

interface Common {
  /** NAME of [output.NAME]. */
  readonly name: string;
  readonly printer: PrinterName;
  readonly print: PrinterSettings;
}

export interface StdoutSettings extends Common {
  readonly type: 'stdout';
}

export interface FileSettings extends Common {
  readonly type: 'file';
  readonly path: string;
  readonly queue: QueueSettings;
}

export interface TcpSettings extends Common {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly queue: QueueSettings;
  /** Seconds without progress after which a peer that should read is given up and connected to anew. */
  readonly timeout: number;
}

export interface UdpSettings extends Common {
  readonly type: 'udp';
  readonly host: string;
  readonly port: number;
  /** Largest datagram in bytes; a longer line is counted as dropped. */
  readonly maxDatagram: number;
}

export type OutputSettings = StdoutSettings | FileSettings | TcpSettings | UdpSettings;
