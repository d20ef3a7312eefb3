import { describedHeads } from '../../../src/formats/prometheus/described.ts';
import { families } from '../../../src/formats/prometheus/families.ts';
import type { Family } from '../../../src/formats/prometheus/families.ts';
import { sampleName } from '../../../src/formats/prometheus/page.ts';

/** The document of what the page for Prometheus holds. */
export function prometheusDocument(): string {
  const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const heading = [row('name', 'type', 'shown', 'of', 'what'), '| --- | --- | --- | --- | --- |'];
  return [
    '# What the page for Prometheus holds\n',
    'Generated from src/catalogue by docs/generate.ts: do not edit. How to scrape it: [prometheus.md](../prometheus.md).\n',
    'Names marked verbose need `verbose = true`. `of` says which metric of [metrics.md](../../metrics.md) a level is, or is the',
    'rate or mean of a counter. Names of VMs have the labels uuid, name and vmid (and pid, where two have one uuid and vmid); those of disks, NICs and vCPUs also device',
    '(with `devices = true`).\n',
    ...heading,
    ...families.map((family) =>
      row(
        `\`${sampleName(family)}\``,
        family.type,
        family.sources.some(({ shown }) => shown === 'default') ? 'default' : 'verbose',
        [...new Set(family.sources.map(({ metric }) => `\`${metric.id}\``))].join(', '),
        plain(labelled(family)),
      ),
    ),
    ...describedHeads.map((head) =>
      row(`\`${sampleName(head)}\``, head.type, 'default', '', plain(head.help)),
    ),
    '',
  ].join('\n');
}

/** What a family is, and the label by which its counters differ. */
function labelled({ help, sources }: Family): string {
  const values = sources.flatMap(({ label }) => (label === undefined ? [] : [label[1]]));
  const [first] = sources.flatMap(({ label }) => label ?? []);
  return first === undefined ? help : `${help}; label ${first}: ${values.join(', ')}`;
}

function plain(text: string): string {
  return text.replace(/[|<*\\]/g, '\\$&');
}
