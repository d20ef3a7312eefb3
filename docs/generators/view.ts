import { columnsOf } from '../../src/tui/table/view-columns.ts';
import { commands } from '../../src/tui/commands.ts';
import { Past } from '../../src/tui/moments/past.ts';
import { LiveSource } from '../../src/tui/sources/live-source.ts';
import { replayCommands } from '../../src/tui/sources/replay-source.ts';
import { views } from '../../src/tui/table/views.ts';
import type { View } from '../../src/tui/table/views.ts';
import { Attention } from '../../src/guests/attention.ts';
import { Pace } from '../../src/sampling/pace.ts';
import { code, plain, table } from './markdown.ts';

/** The tables of views and keys in the guide of the terminal view. */
export function viewDocument(text: string): string {
  const past = new Past(() => Promise.resolve(undefined));
  const live = new LiveSource(new Pace(1), new Attention(), new AbortController(), past).commands;
  const rows = [...commands, ...live].filter(({ label }) => label !== '').map(keyRow);
  const replay = replayCommands.map(keyRow);
  const blocks = {
    views: table(['key', 'view', 'sort keys'], views.map(viewRow)),
    keys: table(['key', 'what it does'], rows),
    'replay-keys': table(['key', 'in a replay'], replay),
  };
  return Object.entries(blocks).reduce((all, [name, content]) => replaced(all, name, content), text);
}

function viewRow(view: View): readonly string[] {
  const headings = new Map(columnsOf(view).map(({ id, heading }) => [id, heading]));
  const sortKeys = Object.entries(view.sortKeys).map(([key, id]) => `${code(key)} ${headings.get(id) ?? id}`);
  return [code(view.key), plain(view.title), sortKeys.join(', ')];
}

function keyRow({ label, help }: { readonly label: string; readonly help: string }): readonly string[] {
  return [code(label), plain(help)];
}

function replaced(text: string, name: string, content: string): string {
  const block = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!block.test(text)) throw new Error(`expected a block from <!-- ${name} --> to <!-- /${name} -->`);
  return text.replace(block, (_, begin: string, end: string) => `${begin}${content}\n${end}`);
}
