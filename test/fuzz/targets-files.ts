import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr/pack';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';
import { readEnvironment } from '../../src/config/layers/environment.ts';
import { ConfigError } from '../../src/config/errors.ts';
import { endOfValue } from '../../src/delivery/file/msgpack-end.ts';
import { frame, readFrames } from '../../src/delivery/ledger/spool/frame.ts';
import { encodeHeader, readHeader } from '../../src/delivery/ledger/spool/header.ts';
import { ChangesPrinter } from '../../src/formats/changes/changes-printer.ts';
import { InputError } from '../../src/profiler/errors.ts';
import { plotProfile } from '../../src/profiler/plot.ts';
import { ProfileSet, readProfiles } from '../../src/profiler/read/read-profiles.ts';
import { readRecording } from '../../src/profiler/read/read-recording.ts';
import { simulate } from '../../src/profiler/simulate.ts';
import { ChangedSamples } from '../../src/recording/changes/changed-samples.ts';
import { entriesOf } from '../../src/recording/entries.ts';
import { RecordingError } from '../../src/recording/errors.ts';
import { formatThatBegins } from '../../src/recording/format.ts';
import { MsgpackEnds } from '../../src/recording/input/msgpack-ends.ts';
import { SampleBuilder } from '../../src/recording/sample-builder.ts';
import { readPreferences } from '../../src/tui/preferences.ts';
import type { Target } from './harness.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-fuzz-'));
process.once('exit', () => {
  rmSync(directory, { recursive: true });
});
const file = join(directory, 'input');

/** A file with this content, for parsers that read one. */
function asFile(input: Buffer): string {
  writeFileSync(file, input);
  return file;
}

/** Bytes of files whose every line or value may be damaged: to pass over one takes 8 us, however many there are. */
const mostLines = 4 * 1024;

const head = { '@timestamp': '2026-01-01T00:00:00.000Z', schema: 1, run: 'a', seq: 1 };
const samples = [
  {
    ...head,
    interval: 1,
    host: { host_name: 'h', cpu_total: 3, disks: [{ device: 'sda', disk_reads: 1 }], nics: [], cpus: [] },
    domains: [
      {
        UUID: '11111111-2222-3333-4444-555555555555',
        name: 'web',
        vmid: '100',
        cpu_cores: 2,
        vcpus: [{ device: '0' }],
        disks: [{ device: 'scsi0', disk_lat_rd: 0.5 }],
      },
    ],
    agent: { agent_cpu: 1, outputs: [{ device: 'stdout', sent: 1 }] },
  },
];
const events = [
  { type: 'host', ...head, interval: 1, host_name: 'h' },
  { type: 'vm', ...head, interval: 1, UUID: 'u', name: 'web', cpu_cores: 2 },
  { type: 'vm_disk', ...head, UUID: 'u', device: 'scsi0', disk_reads: 1 },
];
const packr = new Packr({ useRecords: false });
const lines = (objects: readonly object[]): string =>
  objects.map((each) => `${JSON.stringify(each)}\n`).join('');
const packed = (objects: readonly object[]): Buffer => Buffer.concat(objects.map((each) => packr.pack(each)));

/** Reads a recording as a replay does. */
async function replay(input: Buffer): Promise<void> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < input.length; at += 4096)
      yield await Promise.resolve(input.subarray(at, at + 4096));
  }
  const builder = new SampleBuilder();
  for await (const { format, records } of entriesOf('input', chunks(), { records: 0 })) {
    const fields = records.map((each) => format.decode(each));
    if (fields.every((each) => each !== undefined)) builder.build(fields);
  }
}

/** What comes of records from another node. */
function readChanges(input: Buffer): void {
  const ends = new MsgpackEnds();
  const reader = new ChangedSamples();
  let at = 0;
  for (let end = ends.next(input, 0); end !== undefined; end = ends.next(input, at)) {
    const fields = formatThatBegins(input[at] ?? 0)?.decode(input.subarray(at, end));
    // The connection ends with the first one that is none.
    if (fields === undefined || typeof reader.read(fields) === 'string') return;
    at = end;
  }
}

/** What a node sends: everything, and then what changed. */
function changes(): Buffer {
  const printer = new ChangesPrinter();
  const builder = new SampleBuilder();
  const [first] = samples;
  const later = { ...first, seq: 2, domains: [{ ...first?.domains[0], cpu_total: 0.1 }] };
  return Buffer.concat(
    [...samples, later].flatMap((each) => {
      const sample = builder.build([each]);
      return sample === undefined ? [] : printer.print(sample);
    }),
  );
}

const segmentHeader = encodeHeader({ output: 'a', format: 'json', schema: 1 });
const spooled = [1, 2, 3].map((number) =>
  Buffer.concat(
    frame({ number, time: 1700000000000, bytes: Buffer.from(`{"seq":${number}}\n`), sent: number > 2 }),
  ),
);

/** A frame with a right checksum, whatever its payload. */
function framed(payload: Buffer): Buffer {
  const bytes = Buffer.alloc(18);
  Buffer.from([0xc1, 0x50, 0x58, 0x54]).copy(bytes);
  bytes.writeUInt32BE(payload.length, 4);
  bytes.writeUIntBE(1, 8, 6);
  bytes.writeUInt32BE(crc32(payload, crc32(bytes.subarray(4, 14))), 14);
  return Buffer.concat([bytes, payload]);
}

function readSegment(input: Buffer): void {
  readHeader(input);
  for (const segment of [
    input,
    Buffer.concat([segmentHeader, input]),
    Buffer.concat([segmentHeader, framed(input)]),
  ])
    for (const { bytes, time } of readFrames(segment, readHeader(segment)?.bytes ?? 0, 1, 100).records)
      assert.ok(Buffer.isBuffer(bytes) && Number.isFinite(time), 'a record that is none');
}

const profile = readFileSync(
  join(import.meta.dirname, '../fixtures/profiler/states4-history1-buffer10-fixed.json'),
  'utf8',
);

async function showProfiles(input: Buffer): Promise<void> {
  for (const each of new ProfileSet(await readProfiles(asFile(input)), 'input').all) {
    plotProfile(each, false);
    simulate(each, 10, () => 0.5);
  }
}

async function readMeasurements(input: Buffer): Promise<void> {
  for await (const { values } of readRecording(asFile(input), undefined)) assert.ok(Array.isArray(values));
}

const config = readFileSync(new URL('../../etc/proxtop.conf', import.meta.url), 'utf8');
const outputs = `frequency = 1
collectors = cpu, disk
[connector]
type = qemu
[output.a]
type = http
target = http://h:8086/write?db=x
printer = influx
headers = X-A: b
include = web*
[output.b]
listen = 127.0.0.1:9788
[thresholds]
cpu_ready = 5, 10
`;

const json = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '"a":',
  'null',
  'true',
  '{}',
  '"profile":',
  '"domains":[',
  '"@timestamp":"',
];

export const fileTargets: readonly Target[] = [
  {
    name: 'recordings of JSON',
    seeds: [lines(samples), lines(events), lines([...samples, ...samples])],
    words: [...json, '\n', '{"@timestamp":"', '"schema":1,"run":"', '"seq":', '{"type":"vm",'],
    largest: mostLines,
    parse: replay,
    refuses: (error) => error instanceof RecordingError,
  },
  {
    name: 'records of other nodes',
    seeds: [changes(), Buffer.concat([changes(), changes()])],
    words: [
      '\xde\xff\xff',
      '\xc6\xff\xff\xff\xff',
      '\xcd\x4e\x20',
      '\xa4',
      '\xc0',
      'changes',
      'vm_disk',
      'UUID',
    ],
    parse: readChanges,
  },
  {
    name: 'recordings of MessagePack',
    seeds: [packed(samples), packed(events)],
    words: [
      '\x81',
      '\x91',
      '\xde\xff\xff',
      '\xdf\xff\xff\xff\xff',
      '\xdd\x7f\xff\xff\xff',
      '\xc0',
      '\xd9\xff',
      '\xdb\xff\xff\xff\xff',
      '\xc7\x08',
      '\xd4\x72',
      '\xa1a',
    ],
    largest: mostLines,
    parse: async (input) => {
      endOfValue(input, 0);
      await replay(input);
    },
    refuses: (error) => error instanceof RecordingError,
  },
  {
    name: 'frames of a spool',
    seeds: [
      Buffer.concat(spooled),
      ...spooled,
      segmentHeader,
      packr.pack({ time: 1, bytes: Buffer.from('x') }),
    ],
    words: [
      '\xc1PXT',
      '\xc1PXT\0\x0f\0\0',
      'PXSPOOL\x01',
      '\xc1',
      '\x82\xa4time',
      '\xa5bytes\xc4',
      '\xc7\x08\x01',
      '\xd4\x72',
    ],
    // An eighth of a segment, which is read three times here.
    largest: 256 << 10,
    parse: readSegment,
  },
  {
    name: 'profiles',
    seeds: [profile, profile.replaceAll(/\s+/g, '') + '\n'],
    words: [...json, '"version":', '"roottx":[', '"states":', '"nextProbs":[', '"stats":{"min":'],
    largest: mostLines,
    parse: showProfiles,
    refuses: (error) => error instanceof InputError,
  },
  {
    name: 'measurements for the profiler',
    seeds: [
      readFileSync(join(import.meta.dirname, '../fixtures/profiler/input.csv'), 'utf8').slice(0, 2000),
      lines(samples),
    ],
    words: [...json, ',', ';', '\n', '"', '0.5', 'cputime', '1e5'],
    largest: mostLines,
    parse: readMeasurements,
    refuses: (error) => error instanceof InputError,
  },
  {
    name: 'configuration',
    seeds: [config, outputs],
    words: [
      '[output.x]\n',
      '[',
      ']',
      ' = ',
      '=',
      '\n',
      '; ',
      ' # ',
      '"',
      "'",
      'target = ',
      'printer = ',
      'spool = true\n',
      'constructor = 1\n',
      '__proto__ = 1\n',
      '\u00ef\u00bb\u00bf',
    ],
    // Root's own file; beyond this its size is nobody's attack.
    largest: 4096,
    parse: (input) => {
      const found = parseCommandLine(['--config', asFile(input), '--check'], {});
      const text = input.toString();
      readEnvironment({ PROXTOP_TARGET: text, [`PROXTOP_${text.slice(0, 20)}`]: text });
      return found;
    },
    refuses: (error) => error instanceof ConfigError,
  },
  {
    name: 'settings of the view',
    seeds: [
      '{"view":"a","units":"auto","nameWidth":10,"rows":0,"views":{"c":{"columns":["name","cpu_total"],"sort":"name","reverse":true}}}',
    ],
    words: [...json, '"columns":[', '"sort":', '"views":{', '"name",'],
    parse: (input) => {
      let kept: unknown;
      try {
        kept = JSON.parse(input.toString());
      } catch {
        return;
      }
      readPreferences(kept);
    },
  },
];
