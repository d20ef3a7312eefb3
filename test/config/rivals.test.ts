import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';
import { readEnvironment } from '../../src/config/layers/environment.ts';
import { parseConfig } from '../../src/config/file/file.ts';
import { resolveSettings } from '../../src/config/resolve.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const nothing = readEnvironment({});

function resolved(file: string): void {
  resolveSettings(parseConfig(file, 'p.conf'), nothing, nothing);
}

function refuses(file: string, message: string | RegExp): void {
  assert.throws(
    () => {
      resolved(file);
    },
    { name: 'ConfigError', message },
  );
}

const files = (one: string, other: string, more = ''): string =>
  `[output.a]\ntype = file\ntarget = ${one}\n${more}\n[output.b]\ntype = file\ntarget = ${other}\n`;
const pages = (one: string, other: string): string =>
  `[output.a]\ntype = prometheus\nlisten = ${one}\n[output.b]\nlisten = ${other}\n`;

test('two outputs do not write to one file', () => {
  const message =
    'p.conf:5, [output.b]: the file /x/f is already used by p.conf:1, [output.a]; change or remove one of them';
  refuses(files('/x/f', '/x/f'), message);
  refuses(files('/x/y/../f', '/x//f'), /the file \/x\/\/f is already used by/);
  refuses(files('f', `${process.cwd()}/f`), /is already used by/);
  refuses(files('/x/f', '/x/f.1', 'rotate_size = 1M'), /the file \/x\/f\.1 is already used by/);
  refuses(files('/x/f', '/x/f.12.gz', 'rotate_size = 1M'), /is already used by/);
  refuses(
    `record = /x/f\n${files('/x/f', '/x/g')}`,
    /^p\.conf:1, record: the file \/x\/f is already used by p\.conf:2, \[output\.a\]/,
  );
  for (const [one, other, more] of [
    ['/x/f', '/x/F'],
    ['/x/f', '/x/f.1'],
    ['/x/f', '/x/f.1.txt', 'rotate_size = 1M'],
    ['/dev/null', '/dev/null'],
  ] as const)
    resolved(files(one, other, more));
  resolved('[output.a]\ntype = tcp\ntarget = h:1\n[output.b]\ntype = tcp\ntarget = h:1');
});

test('two pages do not listen on one address', () => {
  for (const [one, other] of [
    ['127.0.0.1:9788', '127.0.0.1:9788'],
    ['127.0.0.1:9788', '0.0.0.0:9788'],
    ['[::]:9788', '127.0.0.1:9788'],
    ['[::1]:9788', '[0:0::1]:9788'],
    ['localhost:9788', 'LOCALHOST:9788'],
    ['localhost:9788', '[::1]:9788'],
  ] as const)
    refuses(
      pages(one, other),
      /^p\.conf:4, \[output\.b\]: the address with port 9788 is already used by p\.conf:1, \[output\.a\]/,
    );
  for (const [one, other] of [
    ['127.0.0.1:9788', '127.0.0.1:9789'],
    ['127.0.0.1:9788', '127.0.0.2:9788'],
    ['127.0.0.1:9788', '[::1]:9788'],
    ['0.0.0.0:9788', '[::1]:9788'],
  ] as const)
    resolved(pages(one, other));
});

test('a flag does not describe an output that the file has under the same name', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-rivals-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const path = join(directory, 'p.conf');
  const parse = (file: string, ...args: string[]): unknown => {
    writeFileSync(path, file);
    return parseCommandLine(['--config', path, ...args], {});
  };
  const refused = (message: RegExp, file: string, ...args: string[]): void => {
    assert.throws(() => parse(file, ...args), { name: 'ConfigError', message });
  };
  refused(
    /^--record: the name record is already used by .*p\.conf:1, \[output\.record\]/,
    '[output.record]\ntype = stdout',
    '--record',
    '/x',
  );
  refused(
    /^--prometheus: the name prometheus is already used by/,
    '[output.prometheus]\nlisten = h:1',
    '--prometheus',
  );
  refused(
    /^--prometheus: the address with port 9788 is/,
    '[output.page]\nlisten = 0.0.0.0:9788',
    '--prometheus',
  );
  refused(/^--replay: output record writes to that file/, '', '--replay', '/x', '--record', '/x');
  refused(
    /^--replay: output a writes to that file/,
    '[output.a]\ntype = file\ntarget = /x',
    '--replay',
    '/x/../x',
  );
  refused(
    /^--record: the file \/x is already used by --output/,
    '',
    '-o',
    'file',
    '--target',
    '/x',
    '--record',
    '/x',
  );
  parse('[output.page]\nlisten = 127.0.0.1:1', '--prometheus', '--record', '/x');
  parse('[output.record]\ntype = stdout', '--record', '/x', '-o', 'stdout');
});

test('secrets that the protocol cannot carry, and targets of another type', () => {
  const http = (line: string): string => `[output.a]\ntype = http\ntarget = https://h/x\n${line}`;
  for (const token of ['tökén', 'a  b', 'a\u001bb'])
    assert.throws(
      () => {
        resolved(http(`token = "${token}"`));
      },
      ({ message }: Error) =>
        message.startsWith('p.conf:4, [output.a] token: expected printable ASCII') &&
        !message.includes(token),
    );
  refuses(http('username = a:b\npassword = c'), /\[output\.a\] username: found a colon/);
  refuses(http('username = a\npassword = "\u0007"'), /\[output\.a\] password: found a control character/);
  refuses(
    http('token = t\nheaders = authorization: Bearer x'),
    /headers: authorization is set by username, token/,
  );
  refuses('[output.a]\ntype = tcp\ntarget = h:1\ntoken = a\tb', /token: found a control character/);
  refuses(
    '[output.a]\ntype = file\ntarget = http://u:SECRET@h/x',
    /^[^S]* target: is a URL, but this output is a file/,
  );
  resolved(http('username = ü\npassword = "päss: #word"'));
  resolved('[output.a]\ntype = tcp\ntarget = h:1\ntoken = tökén');
});
