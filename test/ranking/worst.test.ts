// The worst guests of a span: what is printed agrees with what any gzip and any JSON reader make of the same history.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';
import { printWorst } from '../../src/daemon/worst/print-worst.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';
import { filesIn, linesIn, MINUTE, place, start, writer } from '../history/helpers.ts';

interface Printed {
  readonly code: number;
  readonly out: string;
  readonly complaints: string;
}

/** Prints what a command line asks for, as proxtop does. */
async function worst(...argv: readonly string[]): Promise<Printed> {
  const command = parseCommandLine(['worst', ...argv], {});
  assert.ok(command.kind === 'worst');
  const { request, span, settings } = command;
  const [out, complaints] = [new PassThrough(), new PassThrough()];
  const source = { path: settings.replay ?? '', span, thresholds: settings.thresholds };
  const code = await printWorst(source, request, out, complaints);
  process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM').removeAllListeners('SIGHUP');
  return { code, out: String(out.read() ?? ''), complaints: String(complaints.read() ?? '') };
}

/** The tables of the answer as JSON. */
async function tables(...argv: readonly string[]): Promise<Answer> {
  const { code, out, complaints } = await worst(...argv, '-p', 'json');
  assert.equal(code, 0, complaints);
  return JSON.parse(out) as Answer;
}

interface Answer {
  readonly samples: number;
  readonly seconds: number;
  readonly gaps: readonly { readonly before: string; readonly text: string }[];
  readonly tables: readonly {
    readonly metric: string;
    readonly rows: readonly Ranked[];
    readonly zeros: number;
  }[];
}
interface Ranked {
  readonly name: string;
  readonly device?: string;
  readonly mean: number;
  readonly worst: number;
  readonly worst_at: string;
  readonly seconds: number;
  readonly warn_seconds?: number;
  readonly bad_seconds?: number;
}

/** A second of three VMs: `steady` waits a little, `spiky` now and then very much, `idle` never. */
function second(at: number, parts: Partial<Sample> = {}): Sample {
  const spike = at % 60 === 25;
  const vm = (number: number, name: string, steal: number, latency: number, operations: number) =>
    vmRows(
      row('vm', {
        UUID: `u${number}`,
        name,
        vmid: String(number),
        pid: String(4000 + number),
        cpu_total: number,
        cpu_steal: steal,
      }),
      {
        disks: [
          row('vm_disk', {
            device: 'scsi0',
            disk_reads: operations,
            disk_writes: 0,
            disk_flushes: 0,
            ...(operations > 0 && { disk_lat_avg: latency }),
          }),
        ],
      },
    );
  const guests = [
    vm(101, 'steady', 3 + (at % 7) / 10, 2, 10),
    vm(102, 'spiky', spike ? 95 : 0, spike ? 40 : 4, spike ? 90 : 1),
    vm(103, 'idle', 0, 0, 0),
  ];
  return sampleOf({ time: start + at * 1000 + 2, seq: at, run: 'first', interval: 1, guests, ...parts });
}

async function record(directory: string, seconds: number): Promise<void> {
  const { writer: history } = writer(directory);
  for (let at = 1; at <= seconds; at++) history.write(second(at));
  await history.close(60_000);
}

interface Line {
  readonly '@timestamp': string;
  readonly interval: number;
  readonly domains: readonly Readonly<Record<string, unknown>>[];
}

/** What a reader that knows nothing of us makes of the files of a history: of each VM the lines with an id. */
function byHand(directory: string, id: string) {
  const found = new Map<string, { mean: number; worst: number; at: string; warn: number; bad: number }>();
  const lines = filesIn(directory).flatMap(
    (name) => linesIn(join(directory, name)) as unknown as readonly Line[],
  );
  for (const name of ['steady', 'spiky']) {
    let [sum, seconds, worst, at, warn, bad] = [0, 0, -1, '', 0, 0];
    for (const line of lines) {
      const vm = line.domains.find((domain) => domain['name'] === name) ?? {};
      const value = Number(vm[id]);
      const peak = Number(vm[`${id}_peak`] ?? value);
      sum += value * line.interval;
      seconds += line.interval;
      if (value >= 5) warn += line.interval;
      if (value >= 10) bad += line.interval;
      if (peak > worst) [worst, at] = [peak, line['@timestamp']];
    }
    found.set(name, { mean: sum / seconds, worst, at, warn, bad });
  }
  return found;
}

test('mean, peak and time above the levels are those of the lines of the files', async (t) => {
  const directory = place(t);
  await record(directory, 900);
  const {
    tables: [table],
    samples,
    seconds,
  } = await tables('--replay', directory, '--by', 'cpu_steal');
  assert.equal(samples, 90);
  assert.equal(seconds, 900);
  assert.equal(table?.zeros, 1);
  // The spikes make 9.5 % of a tenth of the time: yellow, and so worse than what waits all the time below it.
  assert.deepEqual(
    table.rows.map(({ name }) => name),
    ['spiky', 'steady'],
  );
  const expected = byHand(directory, 'cpu_steal');
  for (const { name, mean, worst, worst_at, warn_seconds, bad_seconds } of table.rows) {
    const { mean: own, ...others } = expected.get(name) ?? { mean: NaN };
    assert.ok(Math.abs(mean - own) < 1e-5, `${name}: ${mean}, ${own}`);
    assert.deepEqual({ worst, at: worst_at, warn: warn_seconds, bad: bad_seconds }, others);
  }
  assert.equal(table.rows[0]?.worst, 95);
  assert.equal(table.rows[0].warn_seconds, 150);
});

test('a mean over operations counts each of them once', async (t) => {
  const directory = place(t);
  await record(directory, 600);
  const {
    tables: [table],
  } = await tables('--replay', directory, '--by', 'LAT/avg', '--devices');
  const spiky = table?.rows.find(({ name }) => name === 'spiky');
  // In 60 s 59 operations of 4 ms and 90 of 40 ms.
  const mean = (59 * 4 + 90 * 40) / 149;
  assert.ok(Math.abs((spiky?.mean ?? NaN) - mean) / mean < 1e-3, `${spiky?.mean}, ${mean}`);
  assert.equal(spiky?.worst, 40);
  assert.equal(spiky.device, 'scsi0');
  assert.ok(table?.rows.every(({ name }) => name !== 'idle'));
});

test('of a span, by another order, some guests, so many rows', async (t) => {
  const directory = place(t);
  await record(directory, 600);
  const from = new Date(start + 2 * MINUTE).toISOString();
  const span = ['--replay', directory, '--from', from, '--to', '+1m'];
  const {
    seconds,
    tables: [byMean],
  } = await tables(...span, '--by', 'cpu_steal', '--sort', 'mean');
  assert.equal(seconds, 60);
  assert.deepEqual(
    byMean?.rows.map(({ name }) => name),
    ['steady', 'spiky'],
  );
  const {
    tables: [one],
  } = await tables(...span, '--by', '%USED', '-n', '1');
  assert.deepEqual(
    one?.rows.map(({ name }) => name),
    ['idle'],
  );
  const {
    tables: [some],
  } = await tables(...span, '--by', '%USED', '--include', 's*,103', '--exclude', 'spiky');
  assert.deepEqual(
    some?.rows.map(({ name }) => name),
    ['idle', 'steady'],
  );
});

test('gaps are reported, and a guest restarted under another pid is the same one', async (t) => {
  const directory = place(t);
  await record(directory, 120);
  const { writer: again } = writer(directory);
  for (let at = 1; at <= 120; at++) {
    const late = second(at, { time: start + (at + 720) * 1000 + 2, run: 'second' });
    again.write(late);
  }
  await again.close(60_000);
  const answer = await tables('--replay', directory, '--by', 'cpu_steal');
  assert.equal(answer.seconds, 240);
  assert.match(answer.gaps[0]?.text ?? '', /another run of proxtop, after 10 min/);
  assert.equal(answer.tables[0]?.rows.length, 2);
  const { out } = await worst('--replay', directory);
  assert.match(out, /4 min measured of 14 min, in 24 samples\nbefore 2026-11-2.*: another run of proxtop/);
  assert.match(out, /%RDY \(cpu_steal, percent; red from 10, yellow from 5\)\n +VMID +NAME +MEAN +MAX /);
});

test('a recording of single samples, as text and as CSV', async (t) => {
  const path = `${place(t)}.json`;
  const lines = [1, 2, 3].map((at) => {
    const stamp = new Date(start + at * 1000).toISOString();
    const vm = { name: at === 1 ? 'a,b' : 'a\u202eb', UUID: 'u1', vmid: '100', pid: '1', cpu_steal: at };
    return `{"@timestamp":"${stamp}","schema":1,"run":"r","seq":${at},"interval":1,"host":{},"domains":[${JSON.stringify(vm)}]}\n`;
  });
  writeFileSync(path, lines.join(''));
  const { out, complaints } = await worst('--replay', path, '--by', 'cpu_steal', '-p', 'csv');
  assert.match(complaints, /3 s measured of 3 s, in 3 samples/);
  const [header, only, ...rest] = out.split('\r\n');
  assert.deepEqual(rest, ['']);
  assert.match(header ?? '', /^metric,unit,rank,guest_type,vmid,name,/);
  // Renamed meanwhile: the last name counts, without what a terminal obeys.
  assert.match(only ?? '', /^cpu_steal,percent,1,qemu,100,a\?b,u1,,,2,3,2026-11-28T02:58:03.000Z,3,0,0,$/);
});

test('asking for something that does not exist is an error that lists what does', async (t) => {
  const directory = place(t);
  await record(directory, 120);
  const empty = await worst('--replay', directory, '--from', '2020-01-01', '--to', '2020-01-02');
  assert.equal(empty.code, 1);
  assert.match(
    empty.complaints,
    /nothing was recorded at that time: the history goes from 2026-11-28T02:58:00.000Z to 2026-11-28T03:0/,
  );
  const nobody = await worst('--replay', directory, '--include', 'nobody');
  assert.equal(nobody.code, 1);
  assert.match(nobody.complaints, /no guest of that time is meant by --include/);
});

for (const [argv, message] of [
  [['--by', 'cpu_stel'], /--by: found "cpu_stel".*did you mean "cpu_steal"/],
  [['--by', 'cpu_ready'], /did you mean "cpu_steal"/],
  [['--by', 'cpu_idle'], /cpu_idle is a metric of the host/],
  [['--by', 'cpu_affinity'], /cpu_affinity is a text/],
  [['--by', 'nonsense'], /proxtop --list-metrics/],
  [['--limit', '0'], /--limit: found "0", expected a whole number/],
  [['--sort', 'min'], /--sort: found "min"/],
  [['-p', 'msgpack'], /--printer: found "msgpack"/],
  [['cpu_steal'], /"cpu_steal": unexpected argument/],
] as const)
  test(`proxtop worst ${argv.join(' ')}`, () => {
    assert.throws(() => parseCommandLine(['worst', ...argv], {}), message);
  });

test('proxtop top says what it may mean', () => {
  assert.throws(() => parseCommandLine(['top'], {}), /proxtop worst lists the worst guests/);
});

test('what a recording says is text, whatever it holds, and no length of an interval is believed', async (t) => {
  const directory = place(t);
  mkdirSync(directory, { recursive: true });
  const evil = '\u001b]0;x\u0007\u009b31m\u202e\nforged';
  const disks = [{ device: evil, disk_lat_avg: 3 }];
  const vm = { UUID: 'u', name: evil, vmid: evil, pid: evil, cpu_steal: 20, disk_lat_avg: 1, disks };
  const twin = { ...vm, pid: '1' };
  const lines = [1, 2, 3].map((seq) =>
    JSON.stringify({
      '@timestamp': new Date(start + seq * 1000).toISOString(),
      schema: 1,
      run: 'r',
      seq,
      interval: seq === 2 ? 1e300 : 1,
      host: {},
      domains: [vm, twin],
      agent: {},
    }),
  );
  const file = join(directory, 'evil.json');
  writeFileSync(file, `${lines.join('\n')}\n`);
  for (const more of [[], ['--devices'], ['-p', 'csv'], ['-p', 'json'], ['-p', 'json', '--devices']]) {
    const { code, out, complaints } = await worst(`--replay=${file}`, ...more);
    assert.equal(code, 0, complaints);
    assert.match(out, more.length === 0 ? /forged/ : /./);
    assert.doesNotMatch(out.replaceAll(/\r?\n/g, ''), /[\p{Cc}\p{Cf}]/u);
    assert.doesNotMatch(out, /^forged/m);
  }
  assert.equal((await tables(`--replay=${file}`)).seconds, 2);
});

test('the help fits 80 columns, with blanks between what is written and what it does', () => {
  const command = parseCommandLine(['worst', '--help'], {});
  assert.ok(command.kind === 'help');
  for (const line of command.text.split('\n')) {
    assert.ok(line.length <= 80, line);
    if (line.startsWith('  proxtop ')) assert.match(line, /\S {2,}\S/);
  }
});

test('a metric that there is not is refused, whatever its name', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'nonsense'])
    assert.throws(
      () => parseCommandLine(['worst', '--by', name], {}),
      (error: Error) => /--by.*expected a metric of guests/.test(error.message),
    );
});
