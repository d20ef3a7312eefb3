import { code, plain, table } from './markdown.ts';
import { sections, type Section } from './sections.ts';

/** docs/configuration.md. */
export function configurationDocument(): string {
  return [
    '# Configuration\n',
    'Generated from src/config by docs/generate.ts: do not edit. proxtop.conf(5) says the same.\n',
    'The service reads `/etc/proxtop.conf`; on the command line `--config FILE` names a file. A variable wins over the file,',
    'and an argument over both. Lines are `key = value` or `[section]`; those that begin with `;` or `#` are comments. A key',
    'that is unknown, stands in the wrong section or has a wrong value is an error that names its line.\n',
    'A value is taken literally. Quotation marks around it (" or \') come off; a comment begins at a `;` or `#` only after a',
    'blank and outside of them: `abc#def` and `"abc # def"` are whole values, `abc # def` is `abc`. A backslash is a backslash.',
    'The file is UTF-8.\n',
    '`sudo proxtop --config /etc/proxtop.conf --check` says what would run, as a service and from a shell, or what is wrong. It',
    'opens the files that are named, as far as the user may who asks.\n',
    '`systemctl reload proxtop` (SIGHUP) reads the file again. An output that has not changed goes on; one that has is',
    'replaced, and what it had queued goes to its successor of the same name. A wrong file changes nothing and is told in the',
    'log, in the status line of the service and by systemctl.\n',
    'What an output has left on disk (`spool = true`) and no output takes any more, since it was renamed or removed or writes',
    'another format, is kept. The log says so at each start, and `proxtop status` as long as it is there. `proxtop spool` lists',
    'what waits, `proxtop spool drain NAME FILE` copies the records to a file, `proxtop spool delete NAME` deletes them.\n',
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
