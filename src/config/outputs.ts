import { join } from 'node:path';
import type { CollectorName } from '../catalogue/catalogue.ts';
import type { Selection } from '../delivery/selection.ts';
import type { FileSettings, HttpSettings, OutputSettings, QueueSettings } from '../delivery/settings.ts';
import { printerNames } from '../formats/index.ts';
import type { PrinterName } from '../formats/index.ts';
import { wholeSample } from '../formats/printer.ts';
import type { PrinterSettings } from '../formats/printer.ts';
import { parseAddress } from './address.ts';
import {
  orderSettings,
  recordInterval,
  rotationSettings,
  serverTls,
  spoolSettings,
  tlsSettings,
  tokenSettings,
} from './delivery.ts';
import { ConfigError } from './errors.ts';
import { overlay, parseGiven, readValues } from './layers/given.ts';
import type { Given, GivenMap, Values } from './layers/given.ts';
import { agreeOnPrecision, parseHttpUrl, readCredentials, givenTls } from './http.ts';
import type { EnvironmentLayer, FileLayer, Layer, OutputSection } from './layers/layer.ts';
import type { OutputType } from './schema/option.ts';
import { appliesTo, schemaOptions, printing, schema, selecting } from './schema/schema.ts';
import { refuseRivals } from './check/rivals.ts';
import type { Described } from './check/rivals.ts';
import { listed } from './values.ts';

/** What outputs need to know of the rest of the configuration. */
interface RunSettings {
  /** The collectors that run. */
  readonly measured: readonly CollectorName[];
  readonly stateDir: string;
  /** Seconds between two samples; undefined where a recording decides. */
  readonly frequency: number | undefined;
  /** The output of `record`. */
  readonly record: Described | undefined;
}

/**
 * The outputs to run: the one that environment and arguments describe, else those of the file, else text on stdout;
 * a service has none then.
 * Throws a ConfigError.
 */
export function resolveOutputs(
  file: FileLayer | undefined,
  environment: EnvironmentLayer,
  args: Layer,
  run: RunSettings,
): readonly OutputSettings[] {
  const sections: FileLayer['outputs'] = file?.outputs ?? new Map<string, OutputSection>();
  const { described, listen } = splitEndpoint(describedOutput(environment.output, args.output));
  const [first] = described.values();
  const replaces = described.has('type') || described.has('target');
  if (first !== undefined && !replaces && sections.size > 0) {
    throw new ConfigError(
      `${first.origin}: applies to an output that is described with --output, and the file describes its own; ` +
        'add --output to replace the outputs of the file, or change them there',
    );
  }
  const common = file?.general ?? new Map<string, Given>();
  const above = overlay(environment.general, args.general);
  const make = (given: GivenMap, origin: string, name?: string): Described => ({
    origin,
    settings: makeOutput(name, given, overlay(common, name === undefined ? nothing : given, above), run),
  });
  const outputs: Described[] = [];
  const isIdle = first === undefined && sections.size === 0 && (environment.service || listen !== undefined);
  if (first !== undefined || (sections.size === 0 && !isIdle)) {
    outputs.push(make(described, first?.origin ?? 'the output'));
  } else {
    for (const [name, { origin, given }] of sections) {
      if (!given.has('type') && !given.has('listen')) {
        throw new ConfigError(`${origin}: type is missing, expected ${schema.output.type.type.expected}`);
      }
      outputs.push(make(given, origin, name));
    }
  }
  if (listen !== undefined) outputs.push(make(listen, listen.get('listen')?.origin ?? 'listen'));
  refuseRivals(run.record === undefined ? outputs : [...outputs, run.record]);
  return outputs.map(({ settings }) => settings);
}

const nothing: GivenMap = new Map();

/** The address to listen on stands beside the output that the rest describes, unless that is the endpoint itself. */
function splitEndpoint(all: GivenMap): { readonly described: GivenMap; readonly listen?: GivenMap } {
  const address = all.get('listen');
  if (address === undefined || all.get('type')?.text === 'prometheus') return { described: all };
  const described = new Map([...all].filter(([key]) => key !== 'listen'));
  return { described, listen: new Map([['listen', address]]) };
}

/** The output that records to a file: everything, in one piece for each sample. */
export function recordSettings(path: string): FileSettings {
  const { queue_bytes: maxBytes, when_full: whenFull } = readValues(schema.output, new Map());
  return {
    name: 'record',
    type: 'file',
    path,
    printer: path.endsWith('.msgpack') ? 'msgpack' : 'json',
    print: wholeSample,
    queue: { maxBytes, whenFull },
  };
}

/**
 * The output that environment and arguments describe together. A type among the arguments begins a new description:
 * what the environment says for another type (a target, say, when now it is stdout) no longer counts.
 */
function describedOutput(environment: GivenMap, args: GivenMap): GivenMap {
  const type = args.get('type')?.text;
  if (type === undefined) return overlay(environment, args);
  const options = schemaOptions('output');
  const useful = [...environment].filter(([key]) => {
    const option = options[key];
    return option !== undefined && appliesTo(option, type);
  });
  return overlay(new Map(useful), args);
}

/**
 * @param own its keys in section output
 * @param inherited keys of `printing`, for this and for all outputs
 */
function makeOutput(
  name: string | undefined,
  own: GivenMap,
  inherited: GivenMap,
  run: RunSettings,
): OutputSettings {
  const values = readValues(schema.output, own);
  const type = values.type ?? impliedType(own, values.target);
  refuseUseless(own, type);
  const printer = values.printer ?? (type === 'stdout' ? 'text' : 'json');
  refusePrinter(printer, type, own);
  const select = selection(own, run.measured);
  const named = { name: name ?? type, ...(select !== undefined && { select }) } as const;
  if (type === 'prometheus') {
    const { host, port } = values.listen;
    const { verbose, devices } = readValues(printing, inherited);
    return {
      ...named,
      type,
      print: { verbose, devices },
      host,
      port,
      timeout: values.timeout,
      credentials: readCredentials(values, own),
      ...serverTls(own, values),
    };
  }
  const interval = recordInterval(own, values, run.frequency, usualInterval[printer]);
  const common = {
    ...named,
    printer,
    print: printSettings(type, printer, own, values, inherited),
    ...(interval !== undefined && { interval }),
  } as const;
  const queue: QueueSettings = { maxBytes: values.queue_bytes, whenFull: values.when_full };
  const spool = {
    ...orderSettings(own, values, printer),
    ...spoolSettings(own, values, join(run.stateDir, common.name), name !== undefined),
  };
  switch (type) {
    case 'stdout':
      return { ...common, type };
    case 'file':
      return {
        ...common,
        type,
        path: filePath(own),
        queue,
        ...rotationSettings(own, values),
      };
    case 'tcp':
      return {
        ...common,
        type,
        ...address(type, own),
        queue,
        timeout: values.timeout,
        ...spool,
        ...tlsSettings(own, values),
        ...tokenSettings(own, values),
      };
    case 'udp':
      return { ...common, type, ...address(type, own), maxDatagram: values.max_datagram };
    case 'http':
      return httpSettings({ ...common, type, queue, timeout: values.timeout, ...spool }, values, own);
  }
}

/** What an output is whose type was not given. */
function impliedType(own: GivenMap, target: string | undefined): OutputType {
  if (own.has('listen')) return 'prometheus';
  if (target === undefined) return 'stdout';
  return /^https?:\/\//.test(target) ? 'http' : 'tcp';
}

function httpSettings(
  common: Pick<
    HttpSettings,
    | 'name'
    | 'printer'
    | 'print'
    | 'interval'
    | 'select'
    | 'type'
    | 'queue'
    | 'strict'
    | 'spool'
    | 'leftSpool'
    | 'timeout'
  >,
  values: Values<typeof schema.output>,
  own: GivenMap,
): HttpSettings {
  const target = needTarget('http', own, 'a URL, for example http://influx.example:8086/write?db=proxtop');
  const given = parseGiven(target, parseHttpUrl);
  const influx = common.printer === 'influx';
  const credentials = readCredentials(values, own);
  const rival = Object.keys(values.headers ?? {}).find((name) => /^authorization$/i.test(name));
  if (rival !== undefined && Object.keys(credentials).length > 0) {
    throw new ConfigError(
      `${own.get('headers')?.origin ?? ''}: ${rival} is set by username, token or token_file`,
    );
  }
  const { url, precision } = influx ? agreeOnPrecision(given, values.precision, own) : { url: given };
  return {
    ...common,
    print: { ...common.print, ...(precision !== undefined && { precision }) },
    url: url.href,
    batch: { records: values.batch_records, bytes: values.batch_bytes, age: values.batch_age },
    body: values.body,
    gzip: values.gzip,
    headers: values.headers ?? {},
    credentials,
    tls: givenTls(values, url, own),
  };
}

/** Which part of a sample an output gets; undefined for all of it. Throws a ConfigError. */
function selection(own: GivenMap, measured: readonly CollectorName[]): Selection | undefined {
  const { collectors, include, exclude } = readValues(selecting, own);
  const missing = collectors?.find((name) => !measured.includes(name));
  if (missing !== undefined) {
    const origin = own.get('collectors')?.origin ?? '';
    throw new ConfigError(`${origin}: ${missing} is not measured: add it to the collectors at the top`);
  }
  if ((collectors ?? include ?? exclude) === undefined) return undefined;
  return { collectors, include, exclude };
}

/** Seconds that a record stands for, unless configured: how often receivers expect to get one. */
const usualInterval: Readonly<Partial<Record<PrinterName, number>>> = { otlp: 10, 'remote-write': 10 };

/** Printers whose records make no sense to the receivers of an output. */
const unsuited: Readonly<Partial<Record<OutputType, readonly PrinterName[]>>> = {
  stdout: ['remote-write'],
  file: ['remote-write', 'otlp'],
  tcp: ['remote-write', 'otlp'],
  udp: ['msgpack', 'csv', 'esxtop', 'remote-write', 'otlp'],
  http: ['msgpack', 'csv', 'text', 'esxtop'],
};

function refusePrinter(printer: PrinterName, type: OutputType, own: GivenMap): void {
  const origin = (key: string): string => own.get(key)?.origin ?? key;
  if (unsuited[type]?.includes(printer) === true) {
    const suited = printerNames.filter((name) => unsuited[type]?.includes(name) !== true);
    throw new ConfigError(`${origin('printer')}: found "${printer}", expected ${listed(suited)} for ${type}`);
  }
  const refuse = (key: string, meant: string): void => {
    if (own.has(key))
      throw new ConfigError(`${origin(key)}: applies to printer ${meant}, but this one is ${printer}`);
  };
  if (printer !== 'influx') refuse('precision', 'influx');
  if (type === 'http' && printer !== 'json') refuse('body', 'json');
  if (printer !== 'remote-write') return;
  refuse('maxima', 'json, influx and otlp');
  refuse('layout', 'json and influx');
  refuse('gzip', 'json and influx');
}

function printSettings(
  type: OutputType,
  printer: PrinterName,
  own: GivenMap,
  { layout, precision, maxima }: Pick<Values<typeof schema.output>, 'layout' | 'precision' | 'maxima'>,
  inherited: GivenMap,
): PrinterSettings {
  if (type === 'udp' && layout === 'cycle') {
    const origin = own.get('layout')?.origin ?? '';
    throw new ConfigError(
      `${origin}: found "cycle", but udp sends one line as one datagram: leave it out, or use event`,
    );
  }
  // A request of points can be split where a receiver refuses its size; one of whole samples hardly.
  const inRows = type === 'udp' || (type === 'http' && printer === 'influx');
  return {
    ...readValues(printing, inherited),
    // esxtop's batch mode has all there is.
    ...(printer === 'esxtop' && { verbose: true, devices: true }),
    ...(maxima && { peaks: true }),
    layout: layout ?? (inRows ? 'event' : 'cycle'),
    ...(precision !== undefined && { precision }),
  };
}

/** Refuses what was given and has no meaning for an output of this type. */
function refuseUseless(own: GivenMap, type: OutputType): void {
  for (const [key, option] of Object.entries(schemaOptions('output'))) {
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

function filePath(own: GivenMap): string {
  const target = needTarget('file', own, 'a path');
  if (/^[a-z]+:\/\//i.test(target.text))
    throw new ConfigError(
      `${target.origin}: is a URL, but this output is a file; expected a path, or type = http`,
    );
  return target.text;
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
