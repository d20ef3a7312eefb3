import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '../../src/config/errors.ts';
import { parseConfig, readConfigFile } from '../../src/config/file.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-config-'));
after(() => {
  rmSync(directory, { recursive: true });
});

/** The message of the ConfigError that parsing a text must throw. */
function refusal(text: string): string {
  try {
    parseConfig(text, 'p.conf');
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  assert.fail(`accepted ${JSON.stringify(text)}`);
}

test('reads keys and sections, comments and quotes, and remembers the lines', () => {
  const file = parseConfig(
    [
      '\uFEFF; a comment',
      '# another',
      'frequency = 2 ; two',
      '  verbose=true',
      '[connector] ; with a comment',
      'type = proxmox',
      '[output.a-1]\r',
      'target = "x;y#z"\r',
      "printer = '1.5'",
      '[output.b]',
      'target = [::1]:5000 # loopback',
    ].join('\n'),
    'p.conf',
  );
  assert.deepEqual(file.general.get('frequency'), { text: '2', origin: 'p.conf:3, frequency' });
  assert.equal(file.general.get('verbose')?.text, 'true');
  assert.deepEqual(file.connector.get('type'), { text: 'proxmox', origin: 'p.conf:6, [connector] type' });
  assert.deepEqual([...file.outputs.keys()], ['a-1', 'b']);
  assert.equal(file.outputs.get('a-1')?.given.get('target')?.text, 'x;y#z');
  assert.equal(file.outputs.get('a-1')?.given.get('printer')?.text, '1.5');
  assert.equal(file.outputs.get('b')?.given.get('target')?.text, '[::1]:5000');
});

test('the file of the original program means one tcp output', () => {
  const file = parseConfig(
    'PROXTOP_TARGET=192.0.2.1:12345\nPROXPROFILER_PARAMS="--states 4 --history 1"',
    'p.conf',
  );
  assert.equal(file.general.size, 0);
  const given = file.outputs.get('PROXTOP_TARGET')?.given;
  assert.equal(given?.get('type')?.text, 'tcp');
  assert.deepEqual(given.get('target'), { text: '192.0.2.1:12345', origin: 'p.conf:1, PROXTOP_TARGET' });
});

test('refuses unknown keys and sections, and names what may be meant', () => {
  const cases: readonly [string, string | RegExp][] = [
    ['frequncy = 1', 'p.conf:1, frequncy: unknown key; did you mean frequency?'],
    ['\n\nFrequency = 1', 'p.conf:3, Frequency: unknown key; did you mean frequency?'],
    ['PROXTOP_FREQUENCY=1', 'p.conf:1, PROXTOP_FREQUENCY: unknown key; did you mean frequency?'],
    ['zzz = 1', /^p\.conf:1, zzz: unknown key; keys at the top are frequency, runs, /],
    ['__proto__ = 1', /^p\.conf:1, __proto__: unknown key/],
    ['toString = 1', /^p\.conf:1, toString: unknown key/],
    ['target = a:1', 'p.conf:1, target: unknown key; it belongs in [output.NAME]'],
    ['[connector]\ntyp = auto', 'p.conf:2, [connector] typ: unknown key; did you mean type?'],
    [
      '[connector]\nfrequency = 1',
      'p.conf:2, [connector] frequency: unknown key; it belongs at the top, before the first [section]',
    ],
    ['[output.a]\ntimeot = 1', 'p.conf:2, [output.a] timeot: unknown key; did you mean timeout?'],
    ['[output.a]\nPROXTOP_TARGET = a:1', /^p\.conf:2, \[output\.a\] PROXTOP_TARGET: unknown key/],
    [
      '[conector]',
      'p.conf:1: unknown section: found "[conector]", expected [connector], [output.NAME], [profiler] or [thresholds]; did you mean "[connector]"?',
    ],
    [
      '[output]',
      /^p\.conf:1: unknown section: found "\[output\]", expected \[connector\], \[output\.NAME\], \[profiler\] or \[thresholds\]/,
    ],
    ['[output.a b]', /^p\.conf:1: unknown section/],
    ['[]', /^p\.conf:1: unknown section/],
  ];
  for (const [text, expected] of cases) {
    const message = refusal(text);
    if (typeof expected === 'string') assert.equal(message, expected);
    else assert.match(message, expected);
  }
});

test('refuses lines that are no INI, and what is given twice', () => {
  assert.equal(refusal('frequency'), 'p.conf:1: found "frequency", expected key = value, or [section]');
  assert.match(refusal('frequency = 1\n= 5'), /^p\.conf:2: found "= 5", expected key = value/);
  assert.match(refusal('[output.a\ntype = tcp'), /^p\.conf:1: found "\[output\.a", expected key = value/);
  assert.equal(
    refusal('frequency = 1\nfrequency = 2'),
    'p.conf:2, frequency: already set at p.conf:1, frequency',
  );
  assert.equal(
    refusal('[output.a]\n[output.b]\n[output.a]'),
    'p.conf:3: [output.a] already begins at p.conf:1, [output.a]',
  );
  assert.match(
    refusal('PROXTOP_TARGET=a:1\nPROXTOP_TARGET=b:1'),
    /^p\.conf:2, PROXTOP_TARGET: already set at p\.conf:1/,
  );
});

test('a file that is missing, a directory or full of bytes is one clear error', () => {
  const missing = join(directory, 'missing.conf');
  assert.throws(() => readConfigFile(missing), {
    name: 'ConfigError',
    message: `${missing}: cannot read the configuration file: there is no such file`,
  });
  assert.throws(() => readConfigFile(directory), {
    name: 'ConfigError',
    message: `${directory}: cannot read the configuration file: it is a directory`,
  });
  const binary = join(directory, 'binary.conf');
  writeFileSync(binary, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 255, 254]));
  assert.throws(() => readConfigFile(binary), { name: 'ConfigError', message: /binary\.conf:1: found / });
});

test('a file without permission is one clear error', () => {
  const closed = join(directory, 'closed.conf');
  writeFileSync(closed, '', { mode: 0 });
  // Root may read everything: be nobody for the moment of the read.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    assert.throws(() => readConfigFile(closed), {
      name: 'ConfigError',
      message: /no permission to read it$/,
    });
  } finally {
    if (root) process.seteuid?.(0);
  }
});
