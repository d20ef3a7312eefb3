import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { scopes } from '../../src/catalogue/define.ts';
import { PrometheusPage } from '../../src/formats/prometheus/page.ts';
import { createPrinter } from '../../src/formats/index.ts';
import type { PrinterName } from '../../src/formats/index.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { parseLine } from './line-protocol.ts';
import { completeSample, settings } from './sample.ts';

/** What a tenant may have put into a name, a tag or the id of a device: one sample of each, and all of it in one. */
const pieces = [
  '\u001b]0;pwned\u0007\u001b[2J',
  '\u009b31m\u0085\u007f',
  'a\r\n<0>forged line\tcell',
  '\u202egnp.exe\u2066\u200f\u061c\u200b\ufeff\u00ad',
  'line\u2028separator\u2029s',
  '\ud800 half \udc00',
  '\u{e0001}\u{110bd}\u{1f600}',
  `,="'\\ ;#[](){}<>|/:*?%\\`,
  '\\',
  '__proto__',
  Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join(''),
  'x'.repeat(100_000),
];
const texts = [...pieces, pieces.join('')];
const samples: readonly Sample[] = texts.map((text) =>
  completeSample(
    (slot) => slot + 0.5,
    () => text,
  ),
);

/** Characters that no printer of text may let through, but for those that separate its lines and cells. */
const forbidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
/** Texts are cut at 4096 units. A sample has ten rows with at most some twenty texts. */
const most = 2 << 20;

function printed(name: PrinterName, sample: Sample): string {
  const bytes = Buffer.concat(createPrinter(name, settings).print(sample));
  assert.ok(bytes.length < most, `${bytes.length} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/** What Python reads in a text, as JSON. @param interpreter Debian's own has Debian's modules */
function byPython(program: string, input: string | Buffer, interpreter = 'python3'): unknown {
  const { status, stdout, stderr } = spawnSync(interpreter, ['-c', program], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const withoutPython = !has('python3', '--version') && 'no python3';

/** A text as it can be told at all: halves of surrogate pairs have no UTF-8. */
const whole = (text: string): string => text.slice(0, 4096).replace(/\p{Surrogate}/gu, '\ufffd');

test('json: Python reads the very text, and a terminal has nothing to obey', { skip: withoutPython }, () => {
  const program = `
import json, sys
print(json.dumps([json.loads(line, strict=True)["domains"][0]["name"] for line in sys.stdin.buffer.read().split(b"\\n")[:-1]]))`;
  const lines = samples.map((sample) => printed('json', sample));
  for (const line of lines) assert.doesNotMatch(line.slice(0, -1), forbidden);
  assert.deepEqual(byPython(program, lines.join('')), texts.map(whole));
});

/** Each header is followed by a row as wide as it. */
function assertPairs(widths: readonly number[]): void {
  for (let at = 0; at < widths.length; at += 2) assert.equal(widths[at], widths[at + 1]);
}

const python = '/usr/bin/python3';
const withoutMsgpack = !has(python, '-c', 'import msgpack') && 'no python3-msgpack';
test('msgpack: Python reads the very text', { skip: withoutMsgpack }, () => {
  const program = `
import json, msgpack, sys
unpacker = msgpack.Unpacker(raw=False, strict_map_key=True, max_buffer_size=2**28)
unpacker.feed(sys.stdin.buffer.read())
print(json.dumps([sample["domains"][0]["name"] for sample in unpacker]))`;
  const stream = samples.flatMap((sample) => createPrinter('msgpack', settings).print(sample));
  assert.deepEqual(byPython(program, Buffer.concat(stream), python), texts.map(whole));
});

for (const name of ['csv', 'esxtop'] as const) {
  test(`${name}: Python reads as many cells as the header has`, { skip: withoutPython }, () => {
    const program = `
import csv, io, json, sys
text = sys.stdin.buffer.read().decode("utf-8", "strict")
print(json.dumps(list(csv.reader(io.StringIO(text, newline=""), strict=True))))`;
    for (const full of samples) {
      // Of a cluster esxtop's lines come a tick later.
      const sample = name === 'csv' ? full : { ...full, agent: { ...full.agent, nodes: [] } };
      const text = printed(name, sample);
      assert.doesNotMatch(text.replaceAll(/\r?\n/g, ''), forbidden);
      const rows = byPython(program, text) as string[][];
      assertPairs(rows.map(({ length }) => length));
      assert.equal(rows.length, name === 'csv' ? 2 * scopes.length : 2, 'a header and a row of each scope');
    }
  });
}

test('text: lines and cells are ours alone', () => {
  for (const sample of samples) {
    const lines = printed('text', sample).split('\n').slice(0, -1);
    assert.equal(lines.length, 2 * scopes.length);
    for (const line of lines) assert.doesNotMatch(line.replaceAll('\t', ''), forbidden);
    assertPairs(lines.map((line) => line.split('\t').length));
  }
});

test('influx: each line is one point', () => {
  for (const sample of samples) {
    const lines = printed('influx', sample).split('\n').slice(0, -1);
    assert.equal(lines.length, scopes.length);
    for (const line of lines) {
      assert.doesNotMatch(line, forbidden);
      parseLine(line);
    }
  }
});

const withoutPromtool = !has('promtool', '--version') && 'no promtool';
for (const format of ['text', 'openmetrics'] as const) {
  test(`Prometheus, ${format}: promtool reads the page`, { skip: withoutPromtool }, () => {
    for (const sample of samples) {
      const page = new PrometheusPage({ verbose: true, devices: true }).print(sample, format).toString();
      assert.ok(page.length < most, `${page.length} characters`);
      assert.doesNotMatch(page.replaceAll('\n', ''), forbidden);
      if (format === 'openmetrics') continue;
      const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: page,
        encoding: 'utf8',
      });
      assert.deepEqual([stdout, stderr], ['', '']);
    }
  });
}
