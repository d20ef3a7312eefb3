import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readEnvironment } from '../../src/config/layers/environment.ts';
import { ConfigError } from '../../src/config/errors.ts';
import { parseConfig, readConfigFile } from '../../src/config/file/file.ts';
import { resolveSettings } from '../../src/config/resolve.ts';

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
      'p.conf:1: unknown section: found "[conector]", expected [connector], [output.NAME], [history], [profiler] or [thresholds]; did you mean "[connector]"?',
    ],
    ['[output]', /^p\.conf:1: found "" as the name of an output, expected up to 64 letters, digits, "_", /],
    ['[output.my log]', /^p\.conf:1: found "my log" as the name of an output, expected up to 64 letters, /],
    ['[output logs]', /^p\.conf:1: unknown section: found "\[output logs\]", /],
    [`[output.${'x'.repeat(65)}]`, /^p\.conf:1: found "x{57}\.\.\." as the name of an output/],
    ['[outputs.a]', /^p\.conf:1: unknown section/],
    ['constructor = 1', /^p\.conf:1, constructor: unknown key; keys at the top are /],
    ['[connector]\nvalueOf = 1', /^p\.conf:2, \[connector\] valueOf: unknown key; keys of /],
    ['[]', /^p\.conf:1: unknown section/],
  ];
  for (const [text, expected] of cases) {
    const message = refusal(text);
    if (typeof expected === 'string') assert.equal(message, expected);
    else assert.match(message, expected);
  }
});

test('refuses lines that are not INI, and keys given twice', () => {
  assert.equal(refusal('frequency'), 'p.conf:1: found "frequency", expected frequency = value');
  assert.equal(refusal('frequncy 1'), 'p.conf:1: found "frequncy ...", expected key = value, or [section]');
  assert.equal(
    refusal('PROXTOP_TARGET='),
    'p.conf:1, PROXTOP_TARGET: is empty, expected host:port; leave the line out for no output',
  );
  assert.match(refusal('export PROXTOP_TARGET=h:1'), /^p\.conf:1: .*; leave out export$/);
  assert.match(refusal('frequency = 1\n= 5'), /^p\.conf:2: found "\.\.\.", expected key = value/);
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

test('values are taken literally; a comment begins only after a blank', () => {
  const cases: readonly [written: string, value: string][] = [
    ['abc#def', 'abc#def'],
    ['abc;def', 'abc;def'],
    ['abc # c', 'abc'],
    ['abc\t; c', 'abc'],
    ['#abc', '#abc'],
    [' # c', ''],
    ['"abc" # c', 'abc'],
    ["'abc' ; it's", 'abc'],
    ['"a # b"', 'a # b'],
    ['"a # b" # "c"', 'a # b'],
    ['" a "', ' a '],
    ['"a"b"', 'a"b'],
    ["'it''s'", "it''s"],
    [`'"'`, '"'],
    ['""', ''],
    [`a"b'`, `a"b'`],
    ["'1e3'", '1e3'],
    ['1e3', '1e3'],
    ["'12345678901234567890'", '12345678901234567890'],
    ["'[1]'", '[1]'],
    [`'{"a":1}'`, '{"a":1}'],
    ['"true"', 'true'],
    ['null', 'null'],
    ['"a\\tb\\u0041"', 'a\\tb\\u0041'],
    ['a\\;b\\\\', 'a\\;b\\\\'],
    ['http://h/x?a=b#c', 'http://h/x?a=b#c'],
    ['  a  b  ', 'a  b'],
    ['\ud83d\ude00\u2028', '\ud83d\ude00'],
    [`"${'"'.repeat(100_000)}"`, '"'.repeat(100_000)],
  ];
  for (const [written, value] of cases) {
    const { outputs } = parseConfig(`[output.a]\npassword =${written}`, 'p.conf');
    assert.equal(outputs.get('a')?.given.get('password')?.text, value, written);
  }
  for (const written of ['"abc', '\'abc"', '"abc"def', '"', '"a"#b'])
    assert.match(
      refusal(`[output.a]\npassword = ${written}`),
      /^p\.conf:2, \[output\.a\] password: the value begins with a quotation mark and does not end with it; /,
    );
});

test('no message shows what may be a secret, or what a terminal obeys', () => {
  for (const line of [
    'password SECRET',
    'password: SECRET',
    'password:SECRET',
    'pasword SECRET',
    'token SECRET==',
    'SECRET',
    'x SECRET',
    'password = "SECRET',
    '"SECRET" # rest of a line',
    '[SECRET',
  ])
    for (const header of line.startsWith('[') ? [] : ['[output.a]\n', ...(line.startsWith('p') ? [''] : [])])
      assert.doesNotMatch(refusal(header + line), /SECRET/, header + line);
  assert.match(
    refusal('[output.a]\npassword SECRET'),
    /^p\.conf:2: found "password \.\.\.", expected password = value$/,
  );
  for (const text of [
    'fre\u001bquency = 1',
    '[\u009b2J]',
    'verbose\u202e',
    '[output.a]\n\u001b[2Jtype = tcp',
  ])
    assert.doesNotMatch(refusal(text), /[\p{Cc}\p{Cf}]/u);
});

test('two settings on one line: the second one may be a secret', () => {
  for (const line of ['catchup = 0.5 token = SECRET', 'timeout = 5password=SECRET', 'gzip = no x = SECRET'])
    assert.throws(
      () =>
        resolveSettings(
          parseConfig(`[output.a]\ntype = http\ntarget = http://h/x\n${line}`, 'p.conf'),
          readEnvironment({}),
          readEnvironment({}),
        ),
      ({ message }: Error) => message.includes('= ..."') && !message.includes('SECRET'),
      line,
    );
});

test('a key of megabytes is refused at once, in a short message', () => {
  const key = 'k'.repeat(50_000_000);
  const begin = performance.now();
  assert.match(refusal(`${key} = 1`), /^p\.conf:1, k{57}\.\.\.: unknown key; keys at the top are /);
  assert.ok(refusal(key).length < 200);
  // Ten minutes when it was compared with every key, letter by letter.
  assert.ok(performance.now() - begin < 120_000);
});

test('a file that is missing, a directory or no text is one clear error', () => {
  const missing = join(directory, 'missing.conf');
  const unreadable = (path: string, why: string): void => {
    const message = `${path}: cannot read the configuration file: ${why}`;
    assert.throws(() => readConfigFile(path), { name: 'ConfigError', message });
  };
  unreadable(missing, 'there is no such file');
  unreadable(directory, 'it is a directory');
  unreadable('/dev/zero', 'it is larger than 16777216 bytes');
  const path = join(directory, 'odd.conf');
  const refused = (bytes: Buffer, message: string): void => {
    writeFileSync(path, bytes);
    assert.throws(() => readConfigFile(path), { name: 'ConfigError', message: path + message });
  };
  const text = 'verbose = true\n[output.a]\ntarget = ä\n';
  const utf16 = ': expected UTF-8, found UTF-16; save it as UTF-8';
  const odd = ':3: this line is not UTF-8; save the file as UTF-8';
  refused(Buffer.from(`\ufeff${text}`, 'utf16le'), utf16);
  refused(Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), utf16);
  refused(Buffer.from(text, 'latin1'), odd);
  refused(Buffer.from(text.replace('ä', '\0')), odd);
  refused(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 255, 254]), odd.replace('3', '1'));
  writeFileSync(path, '\ufeffverbose = true\n');
  assert.equal(readConfigFile(path).general.get('verbose')?.text, 'true');
  assert.equal(readConfigFile('/dev/null').outputs.size, 0);
});

test('a pipe is read to its end, and given up if nothing writes to it', async () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => readConfigFile(pipe), {
    message: /pipe: cannot read .*: the writer did not close it within 5 s$/,
  });
  const writer = spawn('sh', [
    '-c',
    'exec > "$0"; echo "frequency = 2"; sleep 0.1; echo "verbose = yes"',
    pipe,
  ]);
  const { general } = readConfigFile(pipe);
  assert.deepEqual([...general.keys()], ['frequency', 'verbose']);
  await once(writer, 'close');
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
      message: /no permission to read it(; it is root's: try sudo|; try sudo)?$/,
    });
  } finally {
    if (root) process.seteuid?.(0);
  }
});
