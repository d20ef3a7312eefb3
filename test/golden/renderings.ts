import { metricsJson } from '../../src/cli/list-metrics.ts';
import { resolveThresholds } from '../../src/config/thresholds.ts';
import { createPrinter, printerNames } from '../../src/formats/index.ts';
import type { PrinterName } from '../../src/formats/index.ts';
import type { Layout, PrinterSettings } from '../../src/formats/printer.ts';
import { PrometheusPage } from '../../src/formats/prometheus/page.ts';
import type { PageFormat } from '../../src/formats/prometheus/page.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { helpLine } from '../../src/tui/help-line.ts';
import type { Line } from '../../src/tui/screen/spans.ts';
import { MomentMaker } from '../../src/tui/moments/moment-maker.ts';
import type { Moment } from '../../src/tui/moments/moment.ts';
import { defaultPreferences } from '../../src/tui/preferences.ts';
import { statusLine } from '../../src/tui/status-line.ts';
import { TableControl } from '../../src/tui/table/table-control.ts';
import { judge } from '../../src/tui/analysis/grade.ts';
import { views } from '../../src/tui/table/views.ts';

/** What an output makes of the samples: fed with each, gives its file at the end. */
export interface Rendering {
  readonly file: string;
  readonly take: (sample: Sample) => void;
  readonly bytes: () => Buffer;
}

const everything: PrinterSettings = {
  layout: 'cycle',
  verbose: true,
  devices: true,
  human: false,
  names: 'proxtop',
};
const suffixes: Readonly<Record<PrinterName, string>> = {
  json: 'json',
  influx: 'influx',
  msgpack: 'msgpack',
  csv: 'csv',
  text: 'txt',
  esxtop: 'csv',
  'remote-write': 'binpb',
  otlp: 'pb',
};
const thresholds = resolveThresholds(new Map());
const sizes = [
  { columns: 80, rows: 24 },
  { columns: 132, rows: 40 },
  { columns: 200, rows: 50 },
];

/** Every output that users see, once for each way it can look. */
export function renderings(): Rendering[] {
  return [
    ...printerNames.flatMap((name) => {
      const layouts: readonly Layout[] =
        name === 'json' || name === 'influx' ? ['cycle', 'event'] : ['cycle'];
      return layouts.map((layout) => printed(`${name}-${layout}`, name, { layout }));
    }),
    printed('json-original-names', 'json', { names: 'original' }),
    printed('json-default', 'json', { verbose: false, devices: false }),
    printed('text-human', 'text', { human: true }),
    ...(['text', 'openmetrics'] as const).map(page),
    ...sizes.map(screens),
    { file: 'list-metrics.json', take: () => undefined, bytes: () => Buffer.from(metricsJson()) },
  ];
}

function printed(file: string, name: PrinterName, changes: Partial<PrinterSettings>): Rendering {
  const printer = createPrinter(name, { ...everything, ...changes });
  const records: Buffer[] = [];
  const take = (sample: Sample): void => {
    for (const record of printer.print(begun(sample))) records.push(Buffer.from(record));
  };
  return { file: `${file}.${suffixes[name]}`, take, bytes: () => Buffer.concat(records) };
}

/** The sample with times of its beginning that are the same in every run. */
function begun(sample: Sample): Sample {
  const run = sample.time - 60_000;
  return {
    ...sample,
    began: { program: run, run },
    guests: sample.guests.map((guest) => ({ ...guest, began: { seen: run } })),
  };
}

function page(format: PageFormat): Rendering {
  const printer = new PrometheusPage({ verbose: true, devices: true });
  let last = Buffer.alloc(0);
  const take = (sample: Sample): void => {
    last = Buffer.from(printer.print(sample, format));
  };
  return { file: `prometheus-${format}.txt`, take, bytes: () => last };
}

/** The text of every view on a screen of this size. */
function screens(size: { readonly columns: number; readonly rows: number }): Rendering {
  const maker = new MomentMaker();
  let text = '';
  const take = (sample: Sample): void => {
    const moment = maker.take(sample);
    text = views.map(({ key }) => screen(moment, key, size)).join('\n');
  };
  return { file: `view-${size.columns}x${size.rows}.txt`, take, bytes: () => Buffer.from(text) };
}

function screen(
  { sample, recent }: Moment,
  key: (typeof views)[number]['key'],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string {
  const settings = { ...defaultPreferences(), view: key };
  const table = new TableControl(settings, (id, value, row) => judge(thresholds, id, value, row));
  const body = table.lines(sample, { columns, rows: rows - 2 }, { recent });
  const status = {
    interval: 1,
    view: table.view.name,
    guests: settings.guests,
    filter: undefined,
    sort: table.sortHeading,
    descending: table.descending,
    units: settings.units,
    unicode: true,
    note: [],
  };
  const lines = [statusLine(sample, status, columns), ...body, helpLine(columns)];
  return `${lines.map(textOf).join('\n')}\n`;
}

function textOf(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
