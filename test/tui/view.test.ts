import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import { Lab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import { PROXTOP } from '../e2e/program.ts';
import { commands } from '../../src/tui/commands.ts';
import { views } from '../../src/tui/table/views.ts';
import { Pane } from './pane.ts';

const MIB = 2 ** 20;
const HOSTILE = 'evil\x1b[2J\x07\u009b31m日本e\u0301';
const HOSTILE_SHOWN = 'evil?[2J??31m日本e\u0301';

describe('the terminal view in a real terminal, on real VMs', { timeout: 300_000 }, () => {
  let lab: Lab;
  let busy: LabVm;
  let store: LabVm;
  let evil: LabVm;
  let home: string;
  let pane: Pane;

  before(async () => {
    lab = Lab.create();
    const disks = [{ interface: 'scsi', size: 64 * MIB, shape: 'blockdev' }] as const;
    busy = await lab.run({ name: 'busy', guest: 'spin', load: 4, cores: 2 });
    store = await lab.run({ name: 'store', guest: 'disk', disks, nics: [{ model: 'rtl8139' }] });
    evil = await lab.run({ name: HOSTILE });
  });
  after(() => lab.close());

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'proxtop-home-'));
  });
  afterEach(() => {
    pane.close();
    rmSync(home, { recursive: true });
  });

  function command(...flags: readonly string[]): string {
    return [PROXTOP, '--proxmox', ...lab.flags(), ...flags].join(' ');
  }

  async function open(columns = 80, rows = 24, env: Readonly<Record<string, string>> = {}): Promise<void> {
    pane = await Pane.open(columns, rows, { HOME: home, ...env });
    pane.type(command());
    await pane.shows('busy');
  }

  /** The lines of the table that are about VMs. */
  function rows(): string[] {
    return pane.lines.filter((text) => [busy, store, evil].some(({ vmid }) => text.startsWith(String(vmid))));
  }

  /** Ids of the VMs, in the order of the screen. */
  function order(): string[] {
    return rows().map((text) => text.slice(0, 6));
  }

  test('every view opens by its key and has status, headings and help within 80x24', async () => {
    await open();
    for (const { key, name, columns, panel } of views) {
      pane.press(key);
      const screen = await pane.until(
        `view ${name}`,
        (text) => text.split('\n')[0]?.includes(`  ${name}  `) ?? false,
      );
      const [, ...body] = screen.split('\n');
      assert.ok(body.length > panel.length, name);
      assert.match(
        screen,
        (columns?.includes('vmid') ?? false) ? /^VMID {3}NAME/m : /^(VMID {3}NAME|NIC|DISK|CPU) /m,
      );
      assert.match(screen, /^h help .*q quit/m);
    }
  });

  test('fills 200 columns, survives 20x5, and comes back', async () => {
    await open(200, 50);
    await pane.shows('SCPU10 SIO10');
    pane.resize(20, 5);
    const small = await pane.until(
      'a small screen',
      (text) => text.includes('h help') && !text.includes('MEM'),
    );
    assert.match(small, /^NAME {3}STAT +CPUS$/m);
    pane.resize(80, 24);
    await pane.shows(/^MEM .*TOTAL/m);
    assert.equal(rows().length, 3);
  });

  test('at 200x50, 120x40, 80x24 and 40x10: the status, what hangs first, a pause, the past and why', async () => {
    const hung = await lab.run({ name: 'stuck', guest: 'idle' });
    const paused = await lab.run({ name: 'asleep', guest: 'paused' });
    try {
      await open(200, 50);
      process.kill(hung.pid ?? NaN, 'SIGSTOP');
      // The two samples to which it goes back are of a time when it hung too.
      await pane.shows(/stuck +HUNG (?:1[6-9]|[2-9]\d)s /);
      for (const [columns, height] of [
        [200, 50],
        [120, 40],
        [80, 24],
        [40, 10],
      ] as const) {
        pane.resize(columns, height);
        const narrow = columns < 60;
        const shows = narrow ? /stuck +HUNG +[\d.-]+/ : /stuck +HUNG \d+[sm] /;
        const fits = (screen: string): boolean => {
          const lines = screen.replace(/\n$/, '').split('\n');
          const heading = lines.findIndex((line) => /^(VMID +)?NAME /.test(line));
          return lines.length === height && /^h help/m.test(screen) && shows.test(lines[heading + 1] ?? '');
        };
        const screen = await pane.until(`${columns}x${height}`, fits);
        assert.match(screen, /^h help/m);
        if (height > 10) assert.match(screen, /^! .*stuck does not answer/m);
        if (height > 10) assert.match(screen, /asleep +PRESTART /);
        const moment = (text: string): string => / PAUSED ([\d:]{8})/.exec(text)?.[1] ?? '';
        pane.press('Z');
        const stopped = await pane.shows(
          narrow ? / PAUSED [\d:]{8}/ : / PAUSED [\d:]{8}, \d+ s ago; G returns to now/,
        );
        pane.press('[', '[');
        const past = await pane.until('an earlier moment', (text) => {
          return moment(text) !== '' && moment(text) !== moment(stopped);
        });
        if (!narrow) assert.match(past, / PAUSED [\d:]{8}, \d+ s ago/);
        assert.match(past, shows, 'badges are those of that time');
        pane.press('w');
        await pane.shows('why');
        pane.press('q', 'G');
        await pane.until('the status of now', (text) => !/PAUSED \d/.test(text));
      }
    } finally {
      process.kill(hung.pid ?? NaN, 'SIGCONT');
      await lab.stop(hung);
      await lab.stop(paused);
    }
  });

  test('! goes back to where something red began, live and in a replay', async () => {
    const hung = await lab.run({ name: 'stuck', guest: 'idle' });
    pane = await Pane.open(120, 30, { HOME: home });
    pane.type(command('--record', join(home, 'red.json')));
    await pane.shows('stuck');
    process.kill(hung.pid ?? NaN, 'SIGSTOP');
    try {
      await pane.shows(/^! .*stuck does not answer/m);
    } finally {
      process.kill(hung.pid ?? NaN, 'SIGCONT');
    }
    await pane.until('all is well', (screen) => !screen.includes('does not answer'));
    pane.press('!');
    const began = await pane.shows(/^! .*stuck does not answer for 1\d s/m);
    assert.match(began, /PAUSED [\d:]{8}, .* ago; G returns to now/);
    pane.press('b');
    await pane.shows('blame');
    await pane.shows(/stuck does not answer/);
    pane.press('G');
    await pane.until('now', (screen) => !/PAUSED|does not answer/.test(screen));
    pane.press('q', 'q');
    await pane.until('the shell', (screen) => screen.includes('READY$') && !screen.includes('h help'));
    await lab.stop(hung);
    pane.type(`${PROXTOP} --replay ${join(home, 'red.json')}`);
    await pane.shows('replay');
    pane.press('G');
    await pane.shows('at its end');
    pane.press('!');
    await pane.shows(/^! .*stuck does not answer for 1\d s/m);
  });

  test('a name cannot reach the terminal, and columns stay in line behind wide characters', async () => {
    await open();
    const screen = await pane.shows(HOSTILE_SHOWN.slice(0, 12));
    const heading = screen.split('\n').find((text) => text.startsWith('VMID')) ?? '';
    pane.press('L');
    pane.type('20');
    const line =
      (await pane.shows('日本e\u0301')).split('\n').find((text) => text.startsWith(String(evil.vmid))) ?? '';
    assert.ok(line.includes(HOSTILE_SHOWN), line);
    // tmux gives a wide character two columns and no blank: the line has two characters fewer, and one mark more.
    assert.equal(
      Array.from(line.slice(0, line.indexOf('PRESTART'))).length,
      'VMID   '.length + 20 + 1 - 2 + 1,
      line,
    );
    assert.ok(heading.includes('CPUS'));
  });

  test('sorting: by letter, by < and >, reversed, the unknown last', async () => {
    await open();
    pane.press('c', 'U');
    await pane.shows(/sort CPUS▼/);
    await pane.until('busy on top', () => order()[0] === String(busy.vmid));
    pane.press('r');
    await pane.shows(/sort CPUS▲/);
    await pane.until('busy at the end', () => order()[2] === String(busy.vmid));
    pane.press('N');
    await pane.until('by name', () => order()[0] === String(busy.vmid) && order()[1] === String(evil.vmid));
    pane.press('>');
    await pane.shows(/sort CPUS▼/);
    await pane.until('busy on top', () => order()[0] === String(busy.vmid));
    pane.press('<', '<');
    await pane.shows(/sort VMID▲/);
    assert.deepEqual(order(), [...order()].sort());
    pane.press('a', 'D');
    await pane.until('only the store has latencies', () => order()[0] === String(store.vmid));
    pane.press('r');
    await pane.shows(/sort LAT\/avg▲/);
    assert.equal(order()[0], String(store.vmid), 'the unknown stays last');
  });

  test('the filter works as one types, by name and id, and Esc ends it', async () => {
    await open();
    pane.press('V', 's', 't', 'o');
    await pane.shows('VMs 1/3');
    assert.deepEqual(order(), [String(store.vmid)]);
    pane.press('BSpace', 'BSpace', 'BSpace');
    await pane.until('all', () => rows().length === 3);
    pane.type(String(busy.vmid));
    await pane.until('one', () => order().join() === String(busy.vmid));
    pane.press('V');
    pane.press('x', 'y', 'Escape');
    await pane.until('as before', () => order().join() === String(busy.vmid));
    pane.press('/', 'x', 'Enter');
    await pane.shows('Nothing has');
    pane.press('Escape');
    await pane.until('all', () => rows().length === 3);
  });

  test('e shows the parts of a VM, Enter all that is known of it', async () => {
    await open(120, 40);
    pane.press('c', 'N');
    await pane.shows('sort NAME');
    pane.press('e');
    const screen = await pane.shows('other threads');
    const at = screen.split('\n').findIndex((text) => text.startsWith(String(busy.vmid)));
    assert.match(screen.split('\n')[at + 1] ?? '', /^ +vcpu 0 +\d/);
    assert.match(screen.split('\n')[at + 2] ?? '', /^ +vcpu 1 +\d/);
    // The threads are read from the next sample on: that of the main loop is there, with its name and number.
    await pane.shows(new RegExp(`^ +\\S.* ${busy.pid} +\\d`, 'm'));
    pane.press('e');
    await pane.until('folded', (text) => !text.includes('other threads'));
    pane.press('End', 'Enter');
    await pane.shows(`VM ${store.vmid} store`);
    const page = await pane.shows(/%USED .*[▁-█]{3} +\d/);
    assert.match(page, new RegExp(`UUID ${store.uuid}`));
    assert.match(page, /Virtual disks\nDISK +SIZE/);
    assert.match(page, /^scsi0 +64.0M/m);
    pane.press('Escape');
    await pane.until('the table', () => rows().length === 3);
  });

  test('fields, order, sorting, units, rows and widths are kept by W', async () => {
    await open();
    pane.press('c', 'f');
    await pane.shows(/\[x\] VMID/);
    await pane.shows(/Host CPUs that the VM or container uses/);
    // CPUS goes, %UMAX moves up by one, and a column of another collector comes.
    pane.press('j', 'j', 'Space', 'j', 'j', 'j', 'K', 'Escape');
    // What is sorted by stays on the screen until something else is.
    await pane.shows(/NAME +STATE +CPUS +%RDY\/v +%UMAX +%USED\/v/);
    pane.press('R', 'r', 'u', 'L');
    pane.type('17');
    pane.press('#');
    pane.type('2');
    await pane.until('two rows', () => rows().length === 2);
    pane.press('W');
    await pane.shows(`saved to ${home}/.config/proxtop/view.json`);
    pane.press('q');
    await pane.shows('READY$');
    pane.type(command());
    const screen = await pane.shows(/sort %RDY\/v▲/);
    assert.match(screen, /^VMID {3}NAME +STATE +%RDY\/v +%UMAX +%USED\/v/m);
    assert.match(screen, /CPU {2}VMs 3 .*MiB/);
    await pane.until('two rows', () => rows().length === 2);
    const kept = JSON.parse(readFileSync(join(home, '.config/proxtop/view.json'), 'utf8')) as {
      view: string;
      views: Record<string, unknown>;
    };
    assert.equal(kept.view, 'c');
    assert.deepEqual(Object.keys(kept.views), ['c'], 'what was not changed is not pinned');
    // r on the page of fields brings back those at first.
    pane.press('o', 'r', 'o');
    await pane.shows(/CPUS +%RDY\/v +%USED\/v/);
  });

  test('units, interval, help, space and unknown keys say what they did', async () => {
    await open();
    pane.press('u');
    await pane.shows('sizes in MiB');
    pane.press('u');
    await pane.shows(/ {9,}RSS/);
    pane.press('+');
    await pane.shows('interval 2 s');
    pane.press('-', '-');
    await pane.shows('interval 0.5 s');
    await pane.shows(/0\.\d\d\/0\.5s/);
    pane.press('+', '+', '+', '+', '+', '+');
    await pane.shows('interval 15 s');
    const [status = ''] = pane.lines;
    pane.press('Space');
    await pane.until('a new sample', (text) => text.split('\n')[0] !== status);
    pane.press('*');
    await pane.shows('*: no such key');
    pane.press('?');
    const help = await pane.shows('Sort keys of this view');
    for (const { title } of views) assert.ok(help.includes(title), title);
    pane.press('End');
    for (const { help: text } of commands.slice(-3)) await pane.shows(text);
    pane.press('q');
    await pane.until('the table', () => rows().length === 3);
  });

  test('cursor, pages, wheel and clicks; the column of the cursor scrolls into sight', async () => {
    await open(80, 24);
    pane.press('N', 'Down', 'e');
    await pane.shows('other threads');
    const expanded = pane.lines.findIndex((text) => text.includes('vcpu 0'));
    assert.ok(pane.lines[expanded - 1]?.startsWith(String(evil.vmid)), 'the second by name');
    pane.press('e', 'Home');
    pane.resize(80, 5);
    await pane.until('two rows', () => rows().length >= 1 && rows().length < 3);
    pane.press('PageDown', 'PageDown', 'PageDown');
    await pane.until('the last row', () => rows().at(-1)?.includes('store') ?? false);
    // The wheel, as a terminal reports it.
    pane.send('\x1b[<64;5;5M');
    await pane.until('the first row', () => rows()[0]?.includes('busy') ?? false);
    pane.resize(80, 24);
    await pane.shows(/^MEM/m);
    // A click on the heading of column NAME, twice.
    const y = pane.lines.findIndex((text) => text.startsWith('VMID')) + 1;
    pane.send(`\x1b[<0;9;${y}M`);
    await pane.shows('sort NAME▼');
    for (let count = 0; count < 20; count++) pane.press('Right');
    await pane.shows(/^VMID {3}NAME .*%MEMLIMIT/m);
    for (let count = 0; count < 20; count++) pane.press('Left');
    await pane.shows(/NAME +STATE +CPUS/);
  });

  const endings: Readonly<Record<string, (pid: number) => void>> = {
    q: () => {
      pane.press('q');
    },
    'Ctrl-C': () => {
      pane.press('C-c');
    },
    SIGTERM: (pid) => {
      process.kill(pid, 'SIGTERM');
    },
    'an error nobody caught': (pid) => {
      process.kill(pid, 'SIGUSR2');
    },
  };
  for (const [way, end] of Object.entries(endings)) {
    test(`the terminal is as it was after ${way}`, async () => {
      const crash = join(home, 'crash.cjs');
      writeFileSync(crash, "process.on('SIGUSR2', () => { throw new Error('the test wants it'); });");
      pane = await Pane.open(80, 24, { HOME: home, NODE_OPTIONS: `--require ${crash}` });
      pane.type('stty -g > ~/before; clear; echo first line');
      await pane.shows(/^first line/m);
      pane.type(`${command()}; stty -g > ~/after; echo "code $?"`);
      await pane.shows('busy');
      assert.equal(pane.state('alternate_on'), '1');
      assert.equal(pane.state('cursor_flag'), '0');
      assert.equal(pane.state('mouse_any_flag'), '1');
      end(pidOf(pane));
      const screen = await pane.shows(/^code 0/m);
      assert.match(screen, /^first line/m, 'the screen of the shell is back');
      if (way.startsWith('an error')) assert.match(screen, /the test wants it/, 'and the error can be read');
      assert.equal(pane.state('alternate_on'), '0');
      assert.equal(pane.state('cursor_flag'), '1');
      assert.equal(pane.state('mouse_any_flag'), '0');
      assert.equal(readFileSync(join(home, 'after'), 'utf8'), readFileSync(join(home, 'before'), 'utf8'));
    });
  }

  test('it ends when its terminal goes away', async () => {
    await open();
    const pid = pidOf(pane);
    const other = await Pane.open(80, 24, { HOME: home });
    pane.close();
    pane = other;
    pane.type(`while kill -0 ${pid}; do sleep 0.1; done; echo "gone"`);
    await pane.shows(/^gone/m);
  });

  test('Ctrl-Z gives the terminal back and fg goes on, after kill -STOP too', async () => {
    await open();
    pane.press('c');
    await pane.shows('  CPU  ');
    const pid = pidOf(pane);
    pane.press('C-z');
    await pane.shows('Stopped');
    assert.equal(pane.state('alternate_on'), '0');
    assert.equal(pane.state('cursor_flag'), '1');
    pane.type('echo still; stty -a | grep -o " icanon"');
    await pane.shows(/^ icanon/m);
    pane.type('fg');
    await pane.shows('  CPU  ');
    pane.press('m');
    await pane.shows('  memory  ');
    assert.equal(pane.state('alternate_on'), '1');
    process.kill(pid, 'SIGTSTP');
    await pane.shows('Stopped');
    pane.type('fg');
    await pane.shows('  memory  ');
    process.kill(pid, 'SIGSTOP');
    await pane.shows('Stopped');
    pane.type('fg');
    await pane.shows('  memory  ');
    pane.press('d');
    await pane.shows('  disk  ');
  });

  test('a terminal without colours, and one without unicode, show the same in other ways', async () => {
    await open(80, 24, { NO_COLOR: '1', LANG: 'C' });
    const screen = await pane.shows('sort red+CPUSv');
    assert.match(screen, /^[\x00-\x7f]*$/);
    assert.doesNotMatch(pane.coloured, /\x1b\[(?:\d+;)*[34][0-8]/);
  });

  test('a terminal that cannot move its cursor is refused with advice; output to a pipe stays text', async () => {
    pane = await Pane.open(120, 24, { HOME: home, TERM: 'dumb' });
    pane.type(`${command()}; echo "code $?"`);
    const refused = await pane.shows('code 2');
    assert.match(refused, /TERM is dumb/);
    assert.match(refused, /--printer=text/);
    pane.type(`${command('-r', '1')} | cat; echo "code $?"`);
    await pane.shows(/code 0/);
  });

  test('w explains the value at the cursor, b names who suffers and who takes', async () => {
    await open(100, 40);
    pane.press('c', 'R', 'w');
    const why = await pane.shows('cpu_steal of a VM');
    assert.match(why, /now +[\d.]+%: (fine|yellow|red)/);
    assert.match(why, /schedstat field 2/);
    assert.match(why, /yellow from 5, red from 10 percent/);
    pane.press('q', 'Right', 'Right', 'Right', 'Right', 'Right', 'w');
    await pane.shows('cpu_cores of a VM');
    pane.press('q', 'b');
    await pane.shows(/No VM or container suffers|Suffering/);
    pane.press('q');
    await pane.until('the table', () => rows().length === 3);
  });

  test('a VM that hangs is first in every view of VMs, with how long; a paused one says so', async () => {
    const stuck = await lab.run({
      name: 'stuck',
      guest: 'idle',
      disks: [{ interface: 'scsi', size: MIB, shape: 'drive' }],
    });
    await lab.qmp(store, 'stop');
    try {
      await open(120, 40);
      await pane.shows(new RegExp(`^${store.vmid} +store +PAUSED `, 'm'));
      process.kill(stuck.pid ?? NaN, 'SIGSTOP');
      await pane.shows(/1 hung/);
      for (const { key, name } of views.filter(({ scope }) => scope === 'vm' || scope === 'vm_disk')) {
        pane.press(key);
        await pane.until(`stuck on top of ${name}`, (screen) => {
          const lines = screen.split('\n');
          const heading = lines.findIndex((text) => text.startsWith('VMID'));
          return /stuck +HUNG \d+[sm] /.test(lines[heading + 1] ?? '');
        });
      }
      const red = /\x1b\[[\d;]*38;5;203m *HUNG/;
      assert.match(pane.coloured, red);
      pane.press('a', 'N');
      await pane.until('by name', () => rows()[0]?.includes('busy') ?? false);
      pane.press('O');
      await pane.until('first again', (screen) => /CPUS[^\n]*\n\d+ +stuck/.test(screen));
    } finally {
      process.kill(stuck.pid ?? NaN, 'SIGCONT');
      await lab.qmp(store, 'cont');
      await lab.stop(stuck);
    }
  });

  test('the hands of esxtop: s and a number, v, 2 and 8, -d, -n and -b', async () => {
    await open();
    pane.press('c', 's', '5', 'Enter');
    await pane.shows('interval 5 s');
    await pane.until('the view before', (screen) => screen.split('\n')[0]?.includes('  CPU  ') ?? false);
    pane.press('s');
    await pane.shows('  storage  ');
    pane.press('0', '.', '0', '1', 'Enter');
    await pane.shows('0.01: an interval has from 0.1 to 86400 seconds');
    pane.press('v');
    await pane.shows('  disk  ');
    pane.press('u');
    await pane.shows('disk devices of esxtop: s');
    pane.press('q');
    await pane.shows('READY$');
    pane.type(command('-b', '-a', '-d', '0.2', '-n', '2', '> ~/batch.csv; echo "code $?"'));
    await pane.shows('code 0');
    const lines = readFileSync(join(home, 'batch.csv'), 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 3);
    assert.ok(lines[0]?.includes('% CPU Latency'));
    assert.ok(!lines.some((text) => text.includes('""')), 'no empty cell');
  });

  test('keys work on pages: one about the table closes the page, others leave it open', async () => {
    await open(120, 40);
    pane.press('Enter');
    await pane.shows('Last two minutes');
    pane.press('u');
    await pane.shows('sizes in MiB');
    assert.match(pane.screen, /Last two minutes/);
    pane.press('b');
    await pane.shows(/^[^\n]*  blame  /);
    pane.press('w');
    await pane.shows('source ');
    pane.press('m');
    await pane.shows(/^VMID +NAME +STATE +MEMSZ/m);
    pane.press('h', '*');
    await pane.shows('*: no such key');
    assert.match(pane.screen, /^[^\n]*  help  /);
  });

  test('thresholds of the configuration colour values', async () => {
    const config = join(home, 'proxtop.conf');
    writeFileSync(config, '[thresholds]\nram_rss = 1000/2000\ncpu_steal = off\n');
    pane = await Pane.open(80, 24, { HOME: home });
    pane.type(command('--config', config));
    await pane.shows('busy');
    pane.press('End');
    await pane.until('red sizes', () => /\x1b\[[\d;]*38;5;203m *[\d.]+M/.test(pane.coloured));
    pane.press('M', 'w');
    await pane.shows(/now .*: red/);
  });

  test('a recording that was made while watching shows the same screens again', async () => {
    const file = join(home, 'recorded.msgpack');
    pane = await Pane.open(100, 50, { HOME: home });
    pane.type(command('--record', file));
    await pane.shows('busy');
    // What is red comes first after some seconds, which a jump does not know.
    pane.press('N');
    await pane.shows('sort NAME');
    const live = new Map<string, string>();
    const time = (screen: string): string => /\d\d:\d\d:\d\d$/m.exec(screen)?.[0] ?? '';
    const body = (screen: string): string => screen.split('\n').slice(1, -2).join('\n');
    await pane.until('some samples', (screen) => {
      const again = pane.screen;
      if (screen === again) live.set(time(screen), body(screen));
      return live.size >= 4;
    });
    pane.press('q');
    await pane.shows('READY$');
    pane.type(`${PROXTOP} --replay ${file}`);
    await pane.shows('replay x1');
    pane.press('N', 'Space');
    await pane.shows('replay, paused');
    for (const [at, screen] of [...live].slice(1)) {
      pane.press('J');
      pane.type(at);
      await pane.until(at, (text) => time(text) === at && body(text) === screen);
    }
    const [, second = ''] = live.keys();
    pane.press('[', '[', '[');
    await pane.until('earlier', (text) => time(text) < second);
    pane.press(']');
    await pane.shows(second.slice(0, 5));
    pane.press('+', '+', 'Space');
    await pane.shows(/replay(?: x4|, at its end)/);
    pane.press('G');
    await pane.shows('replay, at its end');
    pane.press('J');
    pane.type('soon');
    await pane.shows('soon: no time');
    pane.press('h');
    await pane.shows('help');
    await pane.shows('a minute back');
    pane.press('q', 'q');
    await pane.shows('READY$');
  });

  test('outputs run beside the view, get what they would without it, and their state is shown', async () => {
    pane = await Pane.open(100, 24, { HOME: home });
    pane.type(command('--view', '--cpu', '--output=file', `--target=${home}/lines`, '--printer=json'));
    await pane.shows('out 1 up');
    await pane.until('a sample', () => readFileSync(join(home, 'lines'), 'utf8').includes('\n'));
    const [first = ''] = readFileSync(join(home, 'lines'), 'utf8').split('\n');
    const { domains } = JSON.parse(first) as { domains: readonly Readonly<Record<string, unknown>>[] };
    assert.ok('cpu_total' in (domains[0] ?? {}));
    assert.ok(!('ram_total' in (domains[0] ?? {})), 'only what was asked for');
    pane.press('q');
    await pane.shows('READY$');
  });
});

/** The process of proxtop in a pane: the child of its shell. */
function pidOf(pane: Pane): number {
  const children = execFileSync('ps', ['--ppid', pane.state('pane_pid'), '-o', 'pid='], { encoding: 'utf8' });
  return Number(children.trim().split('\n')[0]);
}
