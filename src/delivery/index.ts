import type { Logger } from 'pino';
import type { Printer } from '../printers/printer.ts';
import type { Destination } from './destination.ts';
import { FileDestination } from './file/file.ts';
import { HttpDestination } from './http/http.ts';
import type { Output } from './output.ts';
import { PrintedOutput } from './printed-output.ts';
import { SelectingPrinter } from './selection.ts';
import type { PrintedSettings } from './settings.ts';
import { stdoutDestination } from './file/stdout.ts';
import { TcpDestination } from './tcp/tcp.ts';
import { UdpDestination } from './udp/udp.ts';

/**
 * Makes an output that sends what it prints; it starts to connect at once.
 *
 * @param onClosed called once when the reader of standard output is gone, which ends the program and is no error
 * @throws Error with a message for the user when a file cannot be opened or read
 */
export function createOutput(
  settings: PrintedSettings,
  printer: Printer,
  log: Logger,
  onClosed: () => void,
): Output {
  const own = log.child({}, { msgPrefix: `${settings.name}: ` });
  const selecting = settings.select === undefined ? printer : new SelectingPrinter(printer, settings.select);
  const destination = createDestination(settings, selecting, own, onClosed);
  return new PrintedOutput(settings.name, selecting, destination, own);
}

function createDestination(
  settings: PrintedSettings,
  printer: Printer,
  log: Logger,
  onClosed: () => void,
): Destination {
  switch (settings.type) {
    case 'stdout':
      return stdoutDestination(log, onClosed);
    case 'file':
      return new FileDestination(settings, log, () => printer.begin?.());
    case 'tcp':
      return new TcpDestination(settings, log);
    case 'udp':
      return new UdpDestination(settings, log);
    case 'http':
      return new HttpDestination(settings, log);
  }
}
