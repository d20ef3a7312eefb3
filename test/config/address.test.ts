import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../src/config/address.ts';
import { Refusal } from '../../src/config/values.ts';

test('reads names, IPv4 and bracketed IPv6 with ports from 1 to 65535', () => {
  assert.deepEqual(parseAddress('logs.example:12345'), { host: 'logs.example', port: 12345 });
  assert.deepEqual(parseAddress('192.0.2.1:1'), { host: '192.0.2.1', port: 1 });
  assert.deepEqual(parseAddress('[::1]:5000'), { host: '::1', port: 5000 });
  assert.deepEqual(parseAddress('[fe80::1%eth0]:65535'), { host: 'fe80::1%eth0', port: 65535 });
});

test('refuses everything else and gives an example', () => {
  const cases: readonly [string, RegExp][] = [
    ['logs.example', /a port after the host/],
    ['logs.example:', /a port after the host/],
    ['[::1]', /a port after the host/],
    ['logs:0', /a port from 1 to 65535/],
    ['logs:99999', /a port from 1 to 65535/],
    ['logs:12x', /a port from 1 to 65535/],
    ['logs:-1', /a port from 1 to 65535/],
    ['::1:5000', /IPv6 address in brackets/],
    ['2001:db8::1', /IPv6 address in brackets/],
    ['[logs]:5000', /expected host:port/],
    ['[]:5000', /expected host:port/],
    [':5000', /expected host:port/],
    ['300.1.1.1:5000', /expected host:port/],
    ['http://logs:80', /expected host:port/],
    ['tcp://logs', /expected host:port/],
    ['a b:5000', /expected host:port/],
    ['', /expected host:port/],
  ];
  for (const [text, expected] of cases) {
    const refusal = parseAddress(text);
    assert.ok(refusal instanceof Refusal, text);
    assert.match(refusal.reason, expected, text);
    assert.match(refusal.reason, /for example logstash\.example:12345/, text);
  }
});

test('an address has no user, and its password is shown by no message', () => {
  for (const text of ['user:pw@h:1', 'tcp://user:pw@h:1', 'user:p@w@h:1']) {
    const refusal = parseAddress(text);
    assert.ok(refusal instanceof Refusal);
    assert.match(
      refusal.reason,
      /^found "(tcp:\/\/)?\.\.\.@h:1", expected host:port without user and password/,
    );
  }
});
