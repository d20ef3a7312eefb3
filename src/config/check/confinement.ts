import { isAbsolute, normalize } from 'node:path';
import type { OutputSettings } from '../../delivery/settings.ts';
import { allOutputs } from '../settings.ts';
import type { Settings } from '../settings.ts';

/** Where the service cannot look: it has directories of its own there, or none (ProtectHome=, PrivateTmp=). */
const hidden = /^\/(home|root|run\/user|tmp|var\/tmp)(\/|$)/;
/** Where it can write (StateDirectory=, LogsDirectory=, RuntimeDirectory=, PrivateTmp=; ProtectSystem=strict). */
const writable = /^\/(var\/lib\/proxtop|var\/log\/proxtop|run\/proxtop|tmp|var\/tmp|dev)\/./;

/** What is made when the service starts for the first time (LogsDirectory=). */
export const logsDirectory = '/var/log/proxtop';

/** What the service, confined by its unit as it is shipped, could not read or write. */
export function doubtsOfConfinement(settings: Settings): readonly string[] {
  return allOutputs(settings).flatMap((output) => [
    ...filesRead(output).flatMap((path) => said(output, doubtOfReading(path))),
    ...filesWritten(output).flatMap((path) => said(output, doubtOfWriting(path))),
  ]);
}

function said({ name }: OutputSettings, doubt: string | undefined): string[] {
  return doubt === undefined ? [] : [`output ${name}: ${doubt}`];
}

function doubtOfReading(path: string): string | undefined {
  if (!isAbsolute(path)) return relative(path);
  return hidden.test(normalize(path))
    ? `the service does not see ${path} (ProtectHome=, PrivateTmp=)`
    : undefined;
}

function doubtOfWriting(path: string): string | undefined {
  if (!isAbsolute(path)) return relative(path);
  const normal = normalize(path);
  if (!writable.test(normal))
    return `the service cannot write to ${path}, only below /var/log/proxtop and /var/lib/proxtop (ProtectSystem=)`;
  return hidden.test(normal) ? `only the service itself will see ${path} (PrivateTmp=)` : undefined;
}

function relative(path: string): string {
  return `the service would look for ${path} in /; use an absolute path`;
}

function filesRead(output: OutputSettings): readonly string[] {
  const of = (...paths: readonly (string | undefined)[]): string[] =>
    paths.filter((path) => path !== undefined);
  switch (output.type) {
    case 'tcp':
      return of(output.tokenFile, output.tls?.ca, output.tls?.cert, output.tls?.key);
    case 'http':
    case 'prometheus':
      return of(output.credentials.tokenFile, output.tls?.ca, output.tls?.cert, output.tls?.key);
    case 'stdout':
    case 'file':
    case 'udp':
      return [];
  }
}

function filesWritten(output: OutputSettings): readonly string[] {
  if (output.type === 'file') return [output.path];
  const spool = output.type === 'tcp' || output.type === 'http' ? output.spool : undefined;
  return spool === undefined ? [] : [spool.directory];
}
