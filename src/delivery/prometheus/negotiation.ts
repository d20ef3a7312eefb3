import type { PageFormat } from '../../formats/prometheus/page.ts';

/** One entry of a header such as Accept: what is meant, its parameters, and how much it is wanted, 0 to 1. */
interface Preference {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly weight: number;
}

/** Reads a header of preferences (RFC 9110, 12.4.2); what is not understood has full weight. */
function preferences(header: string): Preference[] {
  return header.split(',').map((entry) => {
    const [name = '', ...rest] = entry.split(';').map((part) => part.trim().toLowerCase());
    const parameters = new Map(
      rest.map((part): [string, string] => {
        const [key = '', value = ''] = part.split('=');
        return [key.trim(), value.trim().replaceAll('"', '')];
      }),
    );
    const weight = Number(parameters.get('q') ?? 1);
    return { name, parameters, weight: Number.isNaN(weight) ? 1 : weight };
  });
}

const OPENMETRICS = 'application/openmetrics-text';
const TEXT = ['text/plain', 'text/*', '*/*'];

/** The format to answer with: OpenMetrics 1.0 where it is asked for by name and not less wanted than text. */
export function pageFormat(accept: string | undefined): PageFormat {
  if (accept === undefined) return 'text';
  const wanted = preferences(accept);
  const best = (found: readonly Preference[]): number => Math.max(0, ...found.map(({ weight }) => weight));
  const openmetrics = wanted.filter(
    ({ name, parameters }) => name === OPENMETRICS && (parameters.get('version') ?? '1.0.0') === '1.0.0',
  );
  const text = wanted.filter(({ name }) => TEXT.includes(name));
  return best(openmetrics) > 0 && best(openmetrics) >= best(text) ? 'openmetrics' : 'text';
}

/** Whether the answer may be compressed with gzip. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  return preferences(acceptEncoding).some(({ name, weight }) => name === 'gzip' && weight > 0);
}

/** The Content-Type of a page. */
export const contentTypes: Readonly<Record<PageFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: `${OPENMETRICS}; version=1.0.0; charset=utf-8`,
};
