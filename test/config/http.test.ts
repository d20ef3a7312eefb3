import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeSettings } from '../../src/cli/check.ts';
import { readEnvironment } from '../../src/config/layers/environment.ts';
import { parseConfig } from '../../src/config/file/file.ts';
import { doubts } from '../../src/config/check/doubts.ts';
import { headers } from '../../src/config/http.ts';
import { resolveSettings } from '../../src/config/resolve.ts';
import type { Settings } from '../../src/config/settings.ts';
import { Refusal } from '../../src/config/values.ts';
import type { HttpSettings } from '../../src/delivery/settings.ts';

const nothing = readEnvironment({});
const settings = (file: string): Settings => resolveSettings(parseConfig(file, 'p.conf'), nothing, nothing);

/** The settings of an output that goes to a URL. */
function http(target: string, ...lines: string[]): HttpSettings {
  const [output] = settings(['[output.a]', 'type = http', `target = ${target}`, ...lines].join('\n')).outputs;
  assert.ok(output?.type === 'http');
  return output;
}

function refuses(message: RegExp, target: string, ...lines: string[]): void {
  assert.throws(() => http(target, ...lines), { name: 'ConfigError', message });
}

const url = 'http://h:8086/write?db=p';

test('an output over http with nothing but a URL', () => {
  assert.deepEqual(http('http://h/x'), {
    name: 'a',
    type: 'http',
    printer: 'json',
    print: { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' },
    url: 'http://h/x',
    queue: { maxBytes: 64 << 20, whenFull: 'drop_oldest' },
    timeout: 30,
    leftSpool: '/var/lib/proxtop/a',
    batch: { records: 5000, bytes: 1 << 20, age: 0 },
    body: 'lines',
    gzip: true,
    headers: {},
    credentials: {},
    tls: {},
  });
});

test('a URL as target means http', () => {
  const { outputs } = resolveSettings(undefined, readEnvironment({ PROXTOP_TARGET: 'https://h/x' }), nothing);
  assert.equal(outputs[0]?.type, 'http');
});

test('all keys', () => {
  const output = http(
    'https://h/api/v2/write?org=o&bucket=b',
    'printer = influx',
    'layout = cycle',
    'precision = ms',
    'batch_records = 10',
    'batch_bytes = 2K',
    'batch_age = 2.5',
    'gzip = no',
    'headers = X-Scope: a, Accept: text/plain, */*, Y: b',
    'username = u',
    'password = "p;#=q"',
    'tls_ca = /ca',
    'tls_cert = /cert',
    'tls_key = /key',
    'tls_servername = name',
  );
  assert.equal(output.url, 'https://h/api/v2/write?org=o&bucket=b&precision=ms');
  assert.equal(output.print.layout, 'cycle');
  assert.equal(output.print.precision, 'ms');
  assert.deepEqual(output.batch, { records: 10, bytes: 2048, age: 2.5 });
  assert.equal(output.gzip, false);
  assert.deepEqual(output.headers, { 'X-Scope': 'a', Accept: 'text/plain, */*', Y: 'b' });
  assert.deepEqual(output.credentials, { username: 'u', password: 'p;#=q' });
  assert.deepEqual(output.tls, { ca: '/ca', cert: '/cert', key: '/key', servername: 'name' });
});

test('influx and its URL agree on the precision', () => {
  const agreed = (target: string, ...lines: string[]) => {
    const { url, print } = http(target, 'printer = influx', ...lines);
    assert.equal(print.layout, 'event');
    return [url, print.precision];
  };
  assert.deepEqual(agreed(url), [`${url}&precision=ns`, 'ns']);
  assert.deepEqual(agreed(url, 'precision = s'), [`${url}&precision=s`, 's']);
  assert.deepEqual(agreed(`${url}&precision=ms`), [`${url}&precision=ms`, 'ms']);
  assert.deepEqual(agreed(`${url}&precision=n`, 'precision = ns'), [`${url}&precision=n`, 'ns']);
  assert.deepEqual(agreed('http://h/other', 'precision = ms'), ['http://h/other', 'ms']);
  const influx = 'printer = influx';
  refuses(/target: the URL says precision="us", expected ns, ms or s/, `${url}&precision=us`, influx);
  const both = [influx, 'precision = s'];
  refuses(/precision: found "s", but the URL says precision=ms/, `${url}&precision=ms`, ...both);
});

test('URLs that are none, or hold what has a key of its own', () => {
  refuses(/^p\.conf:3, \[output\.a\] target: found "h:80", expected a URL that begins with http/, 'h:80');
  refuses(/expected a URL/, 'ftp://h/x');
  refuses(/a URL without user name and password/, 'http://u:geheim@h/x');
  for (const bad of [
    'http://u:geheim@h/x',
    'http://u:ge/heim:geheim@h/x',
    'u:geheim@h/x',
    'htp://h/x?p=geheim',
    'http://h/#geheim',
    'htp://h/x#geheim',
  ])
    assert.throws(
      () => http(bad),
      (error: Error) => !error.message.includes('geheim'),
    );
});

test('contradictions', () => {
  refuses(/password: a password needs a username/, url, 'password = p');
  refuses(/token: a token goes without username/, url, 'username = u', 'token = t');
  refuses(/token_file: token is set too; give one of them/, url, 'token = t', 'token_file = /f');
  refuses(/tls_ca: applies to https, but the target is http/, url, 'tls_ca = /ca');
  refuses(/tls_cert: tls_key is missing, expected both or none/, 'https://h', 'tls_cert = /c');
  refuses(/printer: found "csv", expected json, influx, otlp or remote-write for http/, url, 'printer = csv');
  refuses(/body: applies to printer json/, url, 'printer = influx', 'body = array');
  refuses(/precision: applies to printer influx, but this one is json/, url, 'precision = s');
  assert.throws(() => settings('[output.a]\ntype = udp\ntarget = h:1\nprinter = msgpack'), {
    message: 'p.conf:4, [output.a] printer: found "msgpack", expected json, influx or text for udp',
  });
});

test('headers that are none, or are not up to the user', () => {
  for (const bad of ['X', ': a', 'X y: b', 'X: é', 'Content-Length: 5', 'A: b, host: c'])
    assert.ok(headers.parse(bad) instanceof Refusal, bad);
});

test('a message names a wrong header and not its value', () => {
  for (const bad of ['X-Key geheim', 'X-Kéy: geheim', 'X-Key: geheim\u0001', 'X-Key=geheim'])
    assert.throws(
      () => http(url, `headers = ${bad}`),
      ({ message }: Error) => message.includes('found "X') && !message.includes('geheim'),
      bad,
    );
});

test('which part of a sample an output gets', () => {
  const [output] = settings(
    '[output.a]\ntype = stdout\ninclude = web*, 100, tag:prod\nexclude = web9\ncollectors = disk, cpu',
  ).outputs;
  assert.deepEqual(output?.select, {
    collectors: ['disk', 'cpu'],
    include: ['web*', '100', 'tag:prod'],
    exclude: ['web9'],
  });
  assert.throws(() => settings('[output.a]\ntype = stdout\ncollectors = psi'), {
    message: 'p.conf:3, [output.a] collectors: pressure is not measured: add it to the collectors at the top',
  });
  assert.throws(() => settings('include = a'), { message: /it belongs in \[output\.NAME\]/ });
});

test('--check shows no secret', () => {
  const text = describeSettings(
    settings(
      '[output.a]\ntype = http\nprinter = influx\ntarget = https://h/write?db=d&p=geheim\nusername = u\npassword = geheim\n' +
        'headers = X-Key: geheim\nexclude = web\n[output.b]\ntype = file\ntarget = /x\nprinter = msgpack',
    ),
  );
  assert.doesNotMatch(text, /geheim/);
  assert.match(
    text,
    /https:\/\/h\/write\?db=\.\.\.&p=\.\.\.&precision=\.\.\., requests of up to 5000 records or 1 MiB, /,
  );
  assert.match(text, /influx, timestamps in ns; without VMs web/);
  assert.match(text, /msgpack, one map for each cycle/);
});

test('printer otlp: every 10 s, over http; options without effect are refused', () => {
  const otlp = (...lines: string[]): HttpSettings => http('http://h/v1/metrics', 'printer = otlp', ...lines);
  assert.deepEqual([otlp().printer, otlp().interval, otlp('interval = 60').interval], ['otlp', 10, 60]);
  const at = (frequency: string): unknown =>
    settings(
      `frequency = ${frequency}\n[output.a]\ntype = http\nprinter = otlp\ntarget = http://h/v1/metrics`,
    ).outputs.map((output) => output.type === 'http' && output.interval);
  assert.deepEqual([at('3'), at('0.3'), at('10'), at('60')], [[12], [10.2], [undefined], [undefined]]);
  refuses(
    /body: applies to printer json, but this one is otlp/,
    'http://h/',
    'printer = otlp',
    'body = array',
  );
  assert.equal(otlp('maxima = true').print.peaks, true);
  assert.throws(
    () =>
      settings(
        'frequency = 10\n[output.a]\ntype = http\nprinter = otlp\ntarget = http://h/v1/metrics\nmaxima = true',
      ),
    /maxima: has no effect without interval/,
  );
  for (const type of ['tcp', 'udp', 'file'])
    assert.throws(() => settings(`[output.a]\ntype = ${type}\ntarget = h:1\nprinter = otlp`), {
      name: 'ConfigError',
      message: /printer: found "otlp", expected .* for/,
    });
});

test('a path that no receiver of OTLP has is doubted', () => {
  const doubted = (path: string): readonly string[] =>
    doubts(settings(`[output.a]\ntype = http\nprinter = otlp\ntarget = http://h${path}`));
  for (const path of ['/v1/metrics', '/api/v1/otlp/v1/metrics', '/opentelemetry/api/v1/push'])
    assert.deepEqual(doubted(path), [], path);
  assert.match(doubted('/')[0]!, /\/ is not a path that a receiver of OTLP has for metrics/);
});
