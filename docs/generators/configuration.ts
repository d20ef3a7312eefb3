import { code, plain, table } from './markdown.ts';
import { sections, type Section } from './sections.ts';

/** docs/configuration.md. */
export function configurationDocument(): string {
  return [
    '# Configuration\n',
    'Generated from src/config by docs/generate.ts: do not edit. proxtop.conf(5) says the same.\n',
    'The service reads `/etc/proxtop.conf`; on the command line `--config FILE` names a file. An environment variable',
    'overrides the file, and an argument overrides both. Lines are `key = value` or `[section]`; lines that begin with `;` or',
    '`#` are comments. A key that is unknown, in the wrong section or has a wrong value is an error that names its line.\n',
    'A value is taken literally. Quotation marks around it (" or \') are removed. A comment begins at a `;` or `#` after a blank,',
    'outside quotation marks: `abc#def` and `"abc # def"` are whole values, `abc # def` is `abc`. A backslash has no special',
    'meaning. The file must be UTF-8.\n',
    '`sudo proxtop --config /etc/proxtop.conf --check` shows what would run, as a service and from a shell, or what is wrong. It',
    'opens the files that the configuration names and lists those that it had no permission to open.\n',
    '`systemctl reload proxtop` (SIGHUP) reads the file again. An output that has not changed continues; one that has is',
    'replaced, and its queued records go to the new output of that name. A file with an error changes nothing; the log, the',
    'status line of the service and systemctl report the error.\n',
    'If an output is renamed or removed, or its format changes, its records on disk (`spool = true`) are kept although nothing',
    'delivers them. The log reports them at each start, and `proxtop status` while they exist. `proxtop spool` lists them,',
    '`proxtop spool drain NAME FILE` copies them to a file, `proxtop spool delete NAME` deletes them.\n',
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
