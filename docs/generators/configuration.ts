import { code, plain, table } from './markdown.ts';
import { sections, type Section } from './sections.ts';

/** docs/configuration.md. */
export function configurationDocument(): string {
  return [
    '# Configuration\n',
    'Generated from src/config by docs/generate.ts: do not edit. proxtop.conf(5) says the same.\n',
    'The service reads `/etc/proxtop.conf`; on the command line `--config FILE` names a file. A variable wins over the file,',
    'and an argument over both. Lines are `key = value` or `[section]`; those that begin with `;` or `#` are comments. A key',
    'that is unknown, stands in the wrong section or has a wrong value is an error that names its line.',
    '`proxtop --config /etc/proxtop.conf --check` says what would run, or what is wrong.\n',
    '`systemctl reload proxtop` (SIGHUP) reads the file again. An output that has not changed goes on; one that has is',
    'replaced, and what it had queued goes to its successor of the same name. A wrong file changes nothing and is told in the',
    'log, in the status line of the service and by systemctl.\n',
    ...sections.map(describe),
  ].join('\n');
}

function describe({ header, about, keys }: Section): string {
  const rows = keys.map(({ name, help, expected, outputs, variable, ...key }) => [
    code(name),
    plain(outputs === undefined ? help : `${help} (${outputs.join(', ')})`),
    plain(expected),
    plain(key.default ?? ''),
    code(variable ?? ''),
  ]);
  const title = header === '' ? 'The top of the file' : header;
  return `## ${title}\n\n${about}\n\n${table(['key', 'meaning', 'value', 'default', 'variable'], rows)}\n`;
}
