import type { OutputSettings, QueueSettings } from '../outputs/settings.ts';
import type { PrinterSettings } from '../printers/printer.ts';
import { parseAddress } from './address.ts';
import { ConfigError } from './errors.ts';
import { overlay, parseGiven, readValues } from './given.ts';
import type { Given, GivenMap } from './given.ts';
import type { FileLayer, Layer, OutputSection } from './layer.ts';
import { appliesTo, optionsOf, printing, schema } from './schema.ts';
import type { OutputType } from './schema.ts';
import { listed } from './values.ts';

/**
 * The outputs to run: the one that environment and arguments describe, else those of the file, else text on stdout.
 * Throws a ConfigError.
 */
export function resolveOutputs(
  file: FileLayer | undefined,
  environment: Layer,
  args: Layer,
): readonly OutputSettings[] {
  const sections: FileLayer['outputs'] = file?.outputs ?? new Map<string, OutputSection>();
  const described = describedOutput(environment.output, args.output);
  const [first] = described.values();
  const replaces = described.has('type') || described.has('target');
  if (first !== undefined && !replaces && sections.size > 0) {
    throw new ConfigError(
      `${first.origin}: applies to an output that is described with --output, and the file describes its own\n` +
        'add --output to replace the outputs of the file, or change them there',
    );
  }
  const common = file?.general ?? new Map<string, Given>();
  const above = overlay(environment.general, args.general);
  if (first !== undefined || sections.size === 0) {
    return [makeOutput(undefined, described, overlay(common, above))];
  }
  return [...sections].map(([name, { origin, given }]) => {
    if (!given.has('type')) {
      throw new ConfigError(`${origin}: type is missing, expected ${schema.output.type.type.expected}`);
    }
    return makeOutput(name, given, overlay(common, given, above));
  });
}

/**
 * The output that environment and arguments describe together. A type among the arguments begins a new description:
 * what the environment says for another type (a target, say, when now it is stdout) no longer counts.
 */
function describedOutput(environment: GivenMap, args: GivenMap): GivenMap {
  const type = args.get('type')?.text;
  if (type === undefined) return overlay(environment, args);
  const options = optionsOf('output');
  const useful = [...environment].filter(([key]) => {
    const option = options[key];
    return option !== undefined && appliesTo(option, type);
  });
  return overlay(new Map(useful), args);
}

/** @param own its keys in section output, @param inherited keys of `printing`, for this and for all outputs */
function makeOutput(name: string | undefined, own: GivenMap, inherited: GivenMap): OutputSettings {
  const values = readValues(schema.output, own);
  const type = values.type ?? (values.target === undefined ? 'stdout' : 'tcp');
  refuseUseless(own, type);
  const common = {
    name: name ?? type,
    printer: values.printer ?? (type === 'stdout' ? 'text' : 'json'),
    print: printSettings(type, own, values.layout, inherited),
  } as const;
  const queue: QueueSettings = { maxBytes: values.queue_bytes, whenFull: values.when_full };
  switch (type) {
    case 'stdout':
      return { ...common, type };
    case 'file':
      return { ...common, type, path: needTarget(type, own, 'a path').text, queue };
    case 'tcp':
      return { ...common, type, ...address(type, own), queue, timeout: values.timeout };
    case 'udp':
      return { ...common, type, ...address(type, own), maxDatagram: values.max_datagram };
  }
}

function printSettings(
  type: OutputType,
  own: GivenMap,
  layout: PrinterSettings['layout'] | undefined,
  inherited: GivenMap,
): PrinterSettings {
  if (type === 'udp' && layout === 'cycle') {
    const origin = own.get('layout')?.origin ?? '';
    throw new ConfigError(
      `${origin}: found "cycle", but udp sends one line as one datagram: leave it out, or use event`,
    );
  }
  const { verbose, devices, human, names } = readValues(printing, inherited);
  return { layout: layout ?? (type === 'udp' ? 'event' : 'cycle'), verbose, devices, human, names };
}

/** Refuses what was given and has no meaning for an output of this type. */
function refuseUseless(own: GivenMap, type: OutputType): void {
  for (const [key, option] of Object.entries(optionsOf('output'))) {
    const given = own.get(key);
    if (given === undefined || appliesTo(option, type)) continue;
    throw new ConfigError(
      `${given.origin}: applies to ${listed(option.outputs ?? [], 'and')}, but this output is ${type}`,
    );
  }
}

function address(type: OutputType, own: GivenMap): { readonly host: string; readonly port: number } {
  return parseGiven(needTarget(type, own, 'host:port, for example logstash.example:12345'), parseAddress);
}

function needTarget(type: OutputType, own: GivenMap, what: string): Given {
  const target = own.get('target');
  if (target !== undefined) return target;
  const origin = own.get('type')?.origin ?? type;
  throw new ConfigError(`${origin}: ${type} needs a target (${targetName(origin)}): ${what}`);
}

/** How a target is given where the type was given. */
function targetName(origin: string): string {
  if (origin.startsWith('--')) return '--target';
  return origin.startsWith('PROXTOP_') ? 'PROXTOP_TARGET' : 'target';
}
