import type { HttpSettings, OutputSettings } from '../../delivery/settings.ts';
import { guestTypes } from '../../guests/guest.ts';
import type { Settings } from '../settings.ts';
import { quoted } from '../values.ts';

/** What is valid and probably a mistake, a sentence each that names the output. */
export function doubts(settings: Settings): readonly string[] {
  return settings.outputs.flatMap((output) => [
    ...doubtsOfSelection(output),
    ...(output.type === 'http' ? doubtsOfTarget(output) : []),
    ...doubtsOfSecret(output),
  ]);
}

function doubtsOfSelection({ name, select }: OutputSettings): string[] {
  const { include, exclude } = select ?? {};
  const odd = [
    ...(include ?? []).map((pattern) => ['include', pattern] as const),
    ...(exclude ?? []).map((pattern) => ['exclude', pattern] as const),
  ].flatMap(([key, pattern]) => {
    const why = doubtOfPattern(pattern);
    return why === undefined ? [] : [`output ${name}: ${key} ${quoted(pattern)}: ${why}`];
  });
  const isNothing =
    include?.every((pattern) => exclude?.includes(pattern) ?? false) ?? exclude?.includes('*');
  return isNothing === true ? [...odd, `output ${name}: exclude removes every included VM`] : odd;
}

/** Why hardly a VM can be meant by a pattern of `include` or `exclude`; undefined where one can. */
function doubtOfPattern(pattern: string): string | undefined {
  const text = pattern.replace(/^tag:/, '');
  const type = /^type:(.*)$/i.exec(pattern)?.[1];
  if (type !== undefined && !(pattern.startsWith('type:') && guestTypes.some((known) => known === type)))
    return `expected ${guestTypes.map((known) => `type:${known}`).join(', ')}`;
  if (text === '') return 'no VM has an empty tag';
  if (/^["'].*|["']$/.test(text)) return 'quotation marks within a list are part of the name';
  if (/[[\](){}^$+|\\]|\.\*|^\/|\/$/.test(text))
    return 'regular expressions are not supported, only * (anything) and ? (one character)';
  if (/^\d+(-|\.\.)\d+$/.test(text)) return 'ranges are not supported: list each vmid, or use a tag';
  if (pattern !== text)
    return /;/.test(text) ? 'a tag contains no semicolon: separate patterns with commas' : undefined;
  const [, prefix = ''] = /^([a-z]+):/i.exec(text) ?? [];
  if (/^(name|vmid|uuid|vm|id|tags?)$/i.test(prefix))
    return prefix.toLowerCase().startsWith('tag')
      ? 'expected tag:NAME, in lower case'
      : `names, vmids and UUIDs are written without ${prefix}:`;
  return undefined;
}

/** What InfluxDB wants to know where, by path. */
const wantedParameters: Readonly<Record<string, string>> = {
  '/write': 'db',
  '/api/v2/write': 'bucket',
  '/api/v3/write_lp': 'db',
};

/** Whether a URL is one that points can be written to. */
function doubtsOfTarget({ name, url, printer }: HttpSettings): string[] {
  const { pathname, searchParams } = new URL(url);
  if (printer === 'otlp' && !/\/v1\/metrics$|\/opentelemetry\/api\/v1\/push$/.test(pathname))
    return [
      `output ${name}: ${pathname} is not a path that a receiver of OTLP has for metrics: a collector has /v1/metrics, VictoriaMetrics /opentelemetry/v1/metrics`,
    ];
  if (printer !== 'influx') return [];
  if (!/\/(write|write_lp)$/.test(pathname))
    return [
      `output ${name}: ${pathname} is not a write path of InfluxDB or VictoriaMetrics, such as /write?db=NAME or /api/v2/write?org=ORG&bucket=BUCKET`,
    ];
  const wanted = wantedParameters[pathname];
  return wanted === undefined || searchParams.has(wanted)
    ? []
    : [`output ${name}: the URL has no ${wanted}, which InfluxDB needs: ${pathname}?${wanted}=NAME`];
}

/** A user name of the page for Prometheus needs a secret, which systemd may have. */
function doubtsOfSecret(output: OutputSettings): string[] {
  if (output.type !== 'prometheus') return [];
  const { username, password, tokenFile } = output.credentials;
  return username === undefined || (password ?? tokenFile) !== undefined
    ? []
    : [
        `output ${output.name}: username needs a password, a token_file or, for the service, a systemd credential named ${output.name}`,
      ];
}
