import { columnsOf } from '../table/view-columns.ts';
import { commands } from '../commands.ts';
import { line } from '../screen/spans.ts';
import type { Line } from '../screen/spans.ts';
import type { Source } from '../sources/source.ts';
import { views } from '../table/views.ts';
import type { View } from '../table/views.ts';
import { textPage } from './page.ts';
import type { Page } from './page.ts';

/** All keys, with those that sort in this view and those of its source. */
export function helpPage(view: View, source: Source): Page {
  const headings = new Map(columnsOf(view).map(({ id, heading }) => [id, heading]));
  const sortKeys = Object.entries(view.sortKeys);
  return textPage('help', [
    line('Views', 'heading'),
    ...views.map(({ key, title }) => keyLine(key, title)),
    [],
    line(`Sort keys of this view (${view.name})`, 'heading'),
    ...sortKeys.map(([key, id]) => keyLine(key, `by ${headings.get(id) ?? id}`)),
    [],
    line('Keys', 'heading'),
    ...source.commands.map(({ label, help }) => keyLine(label, help)),
    ...commands.filter(({ label }) => label !== '').map(({ label, help }) => keyLine(label, help)),
    [],
    line(
      'A dash is a value that is not known. Percent of CPU are means over the vCPUs of a VM; those of %SYS and',
    ),
    line('%OTHRDY are sums over its other threads, in percent of one CPU. rx and tx are those of the VM.'),
    line('To mark text with the mouse, hold Shift.'),
  ]);
}

function keyLine(keys: string, help: string): Line {
  return [{ text: `  ${keys.padEnd(11)}`, style: 'key' }, { text: help }];
}
