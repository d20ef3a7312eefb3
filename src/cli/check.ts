import type { Settings } from '../config/settings.ts';
import type { OutputSettings, QueueSettings } from '../outputs/settings.ts';

/** The text of `--check`: what would run with these settings. */
export function describeSettings(settings: Settings): string {
  const {
    frequency,
    runs,
    detailInterval,
    collectors,
    netdev,
    storedev,
    connector,
    roots,
    logLevel,
    outputs,
  } = settings;
  const rows: (readonly [string, string])[] = [
    ['sample', `every ${seconds(frequency)}, ${runs === Infinity ? 'endless' : `${runs} times`}`],
    ['ask monitors', `every ${seconds(detailInterval)}`],
    ['measure', collectors.map((name) => (name === 'psi' ? 'pressure' : name)).join(', ')],
    ['host NICs', netdev?.join(', ') ?? 'all physical ones'],
    ['host disks', storedev?.join(', ') ?? 'all physical ones'],
    ['connector', connector],
    ...Object.entries(roots).map(([name, path]) => [name, String(path)] as const),
    ['log', `${logLevel} and above`],
    ...outputs.map((output) => [`output ${output.name}`, describeOutput(output)] as const),
  ];
  const column = Math.max(...rows.map(([name]) => name.length)) + 2;
  return `The configuration is valid. It runs:\n${rows.map(([name, value]) => `  ${name.padEnd(column)}${value}\n`).join('')}`;
}

function describeOutput(output: OutputSettings): string {
  const { printer, print } = output;
  const parts = [
    destination(output),
    printer === 'json' ? `json, one line for each ${print.layout === 'cycle' ? 'cycle' : 'row'}` : printer,
  ];
  if (print.verbose) parts.push('verbose metrics');
  if (print.devices) parts.push('rows of devices');
  if (print.human && printer === 'text') parts.push('human sizes');
  if (print.names === 'original') parts.push('names of the original');
  return parts.join('; ');
}

function destination(output: OutputSettings): string {
  switch (output.type) {
    case 'stdout':
      return 'standard output';
    case 'file':
      return `file ${output.path}; ${describeQueue(output.queue)}`;
    case 'tcp':
      return `tcp to ${address(output)}; ${describeQueue(output.queue)}; given up after ${seconds(output.timeout)} without progress`;
    case 'udp':
      return `udp to ${address(output)}; datagrams up to ${output.maxDatagram} bytes`;
  }
}

function describeQueue({ maxBytes, whenFull }: QueueSettings): string {
  return `queue of ${sizeText(maxBytes)}, ${whenFull} when full`;
}

function address({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function sizeText(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20} MiB` : `${bytes} bytes`;
}

function seconds(count: number): string {
  return count === 1 ? 'second' : `${count} seconds`;
}
