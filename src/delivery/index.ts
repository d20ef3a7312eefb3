import type { Logger } from 'pino';
import type { Printer } from '../formats/printer.ts';
import type { Destination } from './destination.ts';
import { FileDestination } from './file/file.ts';
import { stdoutDestination } from './file/stdout.ts';
import { HttpDestination } from './http/http.ts';
import type { Store } from './ledger/store.ts';
import { Tap } from './ledger/tap.ts';
import { PrintedOutput } from './printed-output.ts';
import { SelectingPrinter } from './selection.ts';
import type { PrintedSettings } from './settings.ts';
import { TcpDestination } from './tcp/tcp.ts';
import { UdpDestination } from './udp/udp.ts';

/**
 * Makes an output that sends what it prints; it starts to connect at once, and takes records from its store when it begins.
 * A file is opened by its `ready`.
 *
 * @param onClosed called once when the reader of standard output is gone, which ends the program and is no error
 * @throws Error with a message for the user when a file cannot be read
 */
export function createOutput(
  settings: PrintedSettings,
  given: Printer,
  store: Store,
  log: Logger,
  onClosed: () => void,
): PrintedOutput {
  const own = log.child({}, { msgPrefix: `${settings.name}: ` });
  const printer = settings.select === undefined ? given : new SelectingPrinter(given, settings.select);
  const tap = new Tap(store);
  const onNewReader = () => printer.begin?.();
  const destination = createDestination(settings, tap, own, { onNewReader, onClosed });
  return new PrintedOutput(settings.name, { printer, store, tap, destination }, own);
}

/** Receivers of the events of a destination. */
interface Listeners {
  /** A new reader knows nothing of what was printed before: headers must be printed again. */
  readonly onNewReader: () => void;
  readonly onClosed: () => void;
}

function createDestination(
  settings: PrintedSettings,
  tap: Tap,
  log: Logger,
  { onNewReader, onClosed }: Listeners,
): Destination {
  switch (settings.type) {
    case 'stdout':
      return stdoutDestination(tap, log, onClosed);
    case 'file':
      return new FileDestination(settings, tap, log, onNewReader);
    case 'tcp':
      return new TcpDestination(settings, tap, log, onNewReader);
    case 'udp':
      return new UdpDestination(settings, tap, log);
    case 'http':
      return new HttpDestination(settings, tap, log);
  }
}
