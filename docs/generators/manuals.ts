import { exitCodes } from '../../src/cli/exit-codes.ts';
import { synopsis, type Flag } from '../../src/cli/arguments/flags.ts';
import { proxtopProgram } from '../../src/cli/arguments/arguments.ts';
import { worstFlags } from '../../src/cli/worst/worst-arguments.ts';
import { flagGroups } from '../../src/config/schema/option.ts';
import { ManualPage } from './roff.ts';
import { sections } from './sections.ts';

/** proxtop(1). */
export function programManual(): string {
  const page = new ManualPage(
    'proxtop',
    1,
    'performance monitor for KVM guests and containers, seen from the host',
  )
    .heading('SYNOPSIS')
    .literal(...proxtopProgram.usage)
    .heading('DESCRIPTION')
    .text(
      'proxtop runs on a Proxmox VE, libvirt or plain QEMU host.',
      'It reads kernel and QEMU to measure CPU, memory, disks, network and pressure of each virtual machine and container.',
      'It shows one sample a second in a terminal view, prints it, or streams it to any number of receivers.',
    )
    .text(
      'Without flags it detects the hypervisor.',
      'On a terminal it opens the view, where h lists the keys; into a pipe it prints a table with a line for each guest.',
      'Flags, environment or configuration file can select outputs instead; then the view opens only with --view.',
    )
    .text('With --replay proxtop reads samples from a recording, or from another proxtop through a pipe.')
    .text(
      'The service keeps a history of its host, 3 days in at most 1 GiB, even without an output.',
      '--replay without a file opens it; --at, --from and --to select a time or span, in the view and for every printer.',
      'Time formats are 03:00 (the most recent one), "yesterday 22:15", 2026-11-28T03:00, 2026-11-28T02:00Z, 1h (an hour ago) or @SECONDS.',
      'The view and the log report restarts, gaps and clock changes.',
    )
    .text(
      'proxtop report writes one self-contained HTML file: who suffered and from what, plots, a heat map and tables of host and guests over time.',
      'The source is the history of this host, a recording FILE or a copied history directory; --from, --to and --at (half an hour before and after) select the span, -o FILE sets the file to write.',
      'Times are in the time zone of this host. proxtop report --help lists its flags.',
    )
    .text(
      'proxtop status shows for each running proxtop whether its outputs deliver, how many records wait and how many were dropped.',
    )
    .text(
      'proxtop spool lists the records waiting in state_dir, with output, format and the process that uses them.',
      'An output delivers the records of its own name and format. Records of an output that was renamed, removed or given another format are kept; the log and proxtop status report them.',
      'proxtop spool drain copies the records of one spool to a new file or to standard output; the spool keeps them until proxtop spool delete.',
      'Both fail while a process uses the spool. FORMAT selects one of several formats; drain needs it then.',
    )
    .heading('OPTIONS');
  for (const group of flagGroups) {
    const members = proxtopProgram.flags.filter((flag) => flag.group === group && !flag.hidden);
    if (members.length === 0) continue;
    page.subheading(group);
    for (const flag of members)
      page.item(
        namesOf(flag),
        `${flag.help}${flag.otherwise === undefined ? '' : ` (default: ${flag.otherwise})`}`,
      );
  }
  page
    .subheading('proxtop worst')
    .text(
      'proxtop worst ranks the guests that fared worst in a span of the history or of a recording, selected by --from, --to and --replay: mean and largest sample of a metric, the time of that sample, and the time at or above its thresholds.',
    );
  for (const flag of worstFlags)
    page.item(
      namesOf(flag),
      `${flag.help}${flag.otherwise === undefined ? '' : ` (default: ${flag.otherwise})`}`,
    );
  return page
    .heading('EXIT STATUS')
    .text(
      `${exitCodes.done} done, ${exitCodes.failure} failure or lost records, ${exitCodes.usage} wrong command line or configuration.`,
      `Of proxtop status: ${exitCodes.done} healthy, ${exitCodes.failure} not running, ${exitCodes.degraded} degraded.`,
    )
    .heading('EXAMPLES')
    .text('Watch, and keep everything for later:')
    .literal('proxtop --record friday.json')
    .text("What happened at three o'clock, from the history of the service, and ten minutes of it as CSV:")
    .literal('sudo proxtop --replay --at 03:00', 'sudo proxtop --replay --from 03:00 --to 03:10 -p csv')
    .text('The night as one HTML file, to be mailed:')
    .literal('sudo proxtop report --from 22:00 --to 06:00 -o night.html')
    .text('Which guests suffered last night?')
    .literal('sudo proxtop worst --from 22:00 --to 06:00')
    .text('Print everything that can be measured, one line of JSON per sample:')
    .literal('proxtop --cpu --mem --disk --net --io --pressure --host --verbose --devices -p json')
    .text("The wide CSV of esxtop's batch mode, every 5 s for an hour, and the same from a recording:")
    .literal('proxtop -b -f 5 -r 720 > hour.csv', 'proxtop --replay friday.json -b > friday.csv')
    .text('Measure on another host and make a CSV table here:')
    .literal('ssh root@pve2 proxtop -p json | proxtop --replay - -p csv')
    .heading('SIGNALS')
    .item(
      'SIGTERM, SIGINT',
      'Exit: deliver queued records for up to 5 s and spool the rest. A second signal exits at once.',
    )
    .item(
      'SIGHUP',
      'Read the configuration again and reopen files. An invalid configuration changes nothing.',
    )
    .heading('ENVIRONMENT')
    .item(
      'PROXTOP_*',
      'Options of the configuration file, see proxtop.conf(5). They override the file, and arguments override them.',
    )
    .item('NOTIFY_SOCKET, WATCHDOG_USEC', 'Set by systemd for the service: see sd_notify(3).')
    .item(
      'TMPDIR',
      'Directory for the copy that the view makes of a compressed or piped recording; default /tmp.',
    )
    .item('NO_COLOR, COLORTERM, TERM', 'Colours of the view.')
    .item(
      'STATE_DIRECTORY, RUNTIME_DIRECTORY, CREDENTIALS_DIRECTORY',
      'Set by systemd for the service: see systemd.exec(5).',
    )
    .heading('FILES')
    .item('/etc/proxtop.conf', 'Configuration that the service reads.')
    .item('~/.config/proxtop/view.json', 'Settings of the view, saved with its key W.')
    .item('/var/lib/proxtop', 'Spools of outputs, and in history/ the history of this host.')
    .item('/var/log/proxtop', 'Where the service may write files.')
    .item('/run/proxtop', 'Reports for proxtop status.')
    .heading('SEE ALSO')
    .text('proxtop.conf(5), proxprofiler(1), qm(1), virsh(1)').source;
}

/** proxtop.conf(5). */
export function configurationManual(): string {
  const page = new ManualPage('proxtop.conf', 5, 'configuration of proxtop')
    .heading('DESCRIPTION')
    .text(
      'The service reads /etc/proxtop.conf; on the command line --config names a file.',
      'Lines are key = value or [section]; lines that begin with ; or # are comments.',
      'An unknown key, a key in the wrong section or an invalid value is an error that names its line.',
    )
    .text(
      `A value is taken literally. Quotation marks around it (" or ') are removed. A comment begins at a ; or # after a blank, outside quotation marks:`,
      'abc#def and "abc # def" are whole values, abc # def is abc. A backslash has no special meaning. The file must be UTF-8.',
    )
    .text('To see what would run, as a service and from a shell, or what is wrong:')
    .literal('sudo proxtop --config /etc/proxtop.conf --check')
    .text('It opens the files named in the configuration and lists those that it has no permission to open.')
    .text(
      'systemctl reload proxtop reads the file again.',
      'Unchanged outputs continue; a changed output is replaced and hands over its queue to its successor of the same name.',
      'An invalid file changes nothing.',
    )
    .text(
      'A line PROXTOP_TARGET=host:port of the original program still works: one output with JSON lines over tcp to that host.',
    );
  for (const { header, about, keys } of sections) {
    page.heading(header === '' ? 'TOP OF THE FILE' : `SECTION ${header}`).text(about);
    for (const key of keys) {
      page.item(
        key.name,
        `${key.help}.`,
        `Value: ${key.expected}.`,
        ...(key.default === undefined ? [] : [`Default: ${key.default}.`]),
        ...(key.outputs === undefined ? [] : [`Outputs: ${key.outputs.join(', ')}.`]),
        ...(key.variable === undefined ? [] : [`Variable: ${key.variable}.`]),
      );
    }
  }
  return page
    .heading('EXAMPLE')
    .literal(
      'collectors = cpu, mem, disk, net, io, pressure, host',
      'devices = true',
      '',
      '[output.logstash]',
      'type = tcp',
      'target = logstash.example:12345',
      'spool = true',
    )
    .heading('SEE ALSO')
    .text('proxtop(1), proxprofiler(1)').source;
}

function namesOf(flag: Flag): string {
  const names = [...flag.aliases, flag.name].sort((a, b) => a.length - b.length);
  return names.map((name) => (name.length === 1 ? `-${name}` : `--${name}`)).join(', ') + synopsis(flag);
}
