import type { PrinterName } from '../formats/index.ts';
import type { PrinterSettings } from '../formats/printer.ts';
import type { Selection } from './selection.ts';
import type { TlsSettings } from './shared/tls.ts';

/** How much waits for a destination that accepts nothing, and what is dropped beyond that. */
export interface QueueSettings {
  readonly maxBytes: number;
  readonly whenFull: 'drop_oldest' | 'drop_newest';
}

/** What is kept on disk of what a destination does not take. */
export interface SpoolSettings {
  /** For this output only. */
  readonly directory: string;
  readonly maxBytes: number;
  /** Seconds that a record waits in memory at most before it is written to disk and synced, while the peer is away. */
  readonly sync: number;
  /** Share of a connection, above 0 and below 1, that the spool gets while newer records wait too. */
  readonly catchup: number;
}

/** Where the records of an output wait. */
export interface StoreSettings {
  readonly queue: QueueSettings;
  /** Whether records are always handed over in order: a backlog before new records. */
  readonly strict?: boolean;
  readonly spool?: SpoolSettings;
  /** Where there is no spool: the directory in which an earlier configuration may have left one, to be delivered. */
  readonly leftSpool?: string;
}

/** When a file is rotated. */
export interface RotationSettings {
  /** Size in bytes at which a file is rotated. */
  readonly size: number;
  /** Rotated files that are kept. */
  readonly keep: number;
}

interface Named {
  /** NAME of [output.NAME]. */
  readonly name: string;
  /** The part of each sample that it gets, where it does not get all. */
  readonly select?: Selection;
}

interface Common extends Named {
  readonly printer: PrinterName;
  readonly print: PrinterSettings;
  /** Seconds that a record stands for, where not each sample is one. */
  readonly interval?: number;
}

interface StdoutSettings extends Common {
  readonly type: 'stdout';
}

export interface FileSettings extends Common, Pick<StoreSettings, 'queue'> {
  readonly type: 'file';
  readonly path: string;
  readonly rotation?: RotationSettings;
}

export interface TcpSettings extends Common, StoreSettings {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
  /** Where the connection is encrypted. */
  readonly tls?: TlsSettings;
  /** Sent as the first line of each connection, or the file that holds it (see token.ts). */
  readonly token?: string;
  readonly tokenFile?: string;
  /** Seconds without progress after which a peer that should read is given up and reconnected to. */
  readonly timeout: number;
}

export interface UdpSettings extends Common {
  readonly type: 'udp';
  readonly host: string;
  readonly port: number;
  /** Largest datagram in bytes; a longer line is counted as dropped. */
  readonly maxDatagram: number;
}

/** Credentials, as far as configured; a secret may also come from systemd (see credentials.ts). */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  /** File that holds the token or, where there is a user name, the password. */
  readonly tokenFile?: string;
}

export interface HttpSettings extends Common, StoreSettings {
  readonly type: 'http';
  /** http or https, without user name and password. */
  readonly url: string;
  /** Seconds in which a request must be answered. */
  readonly timeout: number;
  /** When a request is sent: with so many records or bytes, or when the oldest record is so many seconds old. */
  readonly batch: { readonly records: number; readonly bytes: number; readonly age: number };
  /** How records become the body of a request: one after the other, or as a JSON array. */
  readonly body: 'lines' | 'array';
  readonly gzip: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
  readonly tls: TlsSettings;
}

export interface PrometheusSettings extends Named {
  readonly type: 'prometheus';
  /** What the page holds. */
  readonly print: Pick<PrinterSettings, 'verbose' | 'devices'>;
  /** Address to listen on. */
  readonly host: string;
  readonly port: number;
  /** Seconds in which a request must have come, and its answer have been taken. */
  readonly timeout: number;
  /** What a scraper must show; nothing where there are none. */
  readonly credentials: Credentials;
  /** Our certificate and its key, where the connection is encrypted. */
  readonly tls?: TlsSettings;
}

/** Outputs that print samples as they come, and send them. */
export type PrintedSettings = StdoutSettings | FileSettings | TcpSettings | UdpSettings | HttpSettings;
export type OutputSettings = PrintedSettings | PrometheusSettings;
