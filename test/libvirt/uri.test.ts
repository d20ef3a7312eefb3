import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../../src/libvirt/error.ts';
import type { LibvirtUri } from '../../src/libvirt/uri.ts';
import { parseUri } from '../../src/libvirt/uri.ts';

type Part = Partial<Omit<LibvirtUri, 'parameters'>> & { parameters?: Record<string, string> };

const valid: Record<string, Part> = {
  'qemu:///system': {
    transport: 'unix',
    scope: 'system',
    host: '',
    port: undefined,
    user: undefined,
    name: 'qemu:///system',
  },
  'qemu:///session': { transport: 'unix', scope: 'session', name: 'qemu:///session' },
  'qemu+unix:///system?socket=/tmp/a%20b+c': {
    transport: 'unix',
    parameters: { socket: '/tmp/a b+c' },
    name: 'qemu:///system',
  },
  'qemu+unix:///system?mode=legacy&wait=1': { parameters: { mode: 'legacy' }, name: 'qemu:///system?wait=1' },
  'qemu://host/system': { transport: 'tls', host: 'host', name: 'qemu:///system' },
  'qemu+tls://host:1234/system?no_verify=1': { transport: 'tls', port: 1234, parameters: { no_verify: '1' } },
  'qemu+tcp://[fe80::1%25eth0]:16/system': { transport: 'tcp', host: 'fe80::1%eth0', port: 16 },
  'qemu+tcp://[::1]/system': { transport: 'tcp', host: '::1', port: undefined },
  'qemu+tcp:///system': { transport: 'tcp', host: 'localhost' },
  'qemu+ssh://root@pve1.example:2222/system?keyfile=/root/.ssh/id&command=/usr/bin/ssh': {
    transport: 'ssh',
    user: 'root',
    host: 'pve1.example',
    port: 2222,
    parameters: { keyfile: '/root/.ssh/id', command: '/usr/bin/ssh' },
  },
  'qemu+ssh://a%40b@host/session': { user: 'a@b', scope: 'session' },
  'qemu+ssh://host/system?name=qemu:///session': { name: 'qemu:///session' },
};

for (const [text, expected] of Object.entries(valid)) {
  test(`takes ${text} apart`, () => {
    const { parameters, ...rest } = parseUri(text);
    const { parameters: expectedParameters = {}, ...expectedRest } = expected;
    for (const [key, value] of Object.entries(expectedRest))
      assert.equal(rest[key as keyof typeof rest], value, key);
    for (const [key, value] of Object.entries(expectedParameters))
      assert.equal(parameters.get(key), value, key);
  });
}

const wrong: Record<string, readonly ['uri' | 'unsupported', RegExp]> = {
  '': ['uri', /expected driver/],
  qemu: ['uri', /expected driver/],
  '/var/run/libvirt/libvirt-sock': ['uri', /expected driver/],
  'qemu:/system': ['uri', /expected driver/],
  'qemu://a b/system': ['uri', /expected driver/],
  'qemu://user:password@host/system': ['uri', /expected driver/],
  'qemu://[host]/system': ['uri', /IPv6 address in \[host\]/],
  'qemu://host:port/system': ['uri', /expected driver/],
  'qemu://host:70000/system': ['uri', /port of 1 to 65535/],
  'qemu://host': ['uri', /path \/system or \/session/],
  'qemu:///embed?root=/tmp': ['uri', /path \/system or \/session/],
  'qemu:///system?socket=%zz': ['uri', /cannot decode "%zz"/],
  'qemu+unix://host/system': ['uri', /unix has no host/],
  'qemu+carrier://host/system': ['uri', /one of the transports unix, ssh, tcp, tls/],
  'qemu+libssh2://host/system': ['unsupported', /libssh2 is not supported, only unix, ssh, tcp, tls/],
  'qemu+ext://host/system?command=x': ['unsupported', /ext is not supported/],
  'xen:///system': ['unsupported', /driver xen is not supported, only qemu/],
  'lxc:///': ['unsupported', /driver lxc is not supported/],
  'esx://host/?no_verify=1': ['unsupported', /driver esx is not supported/],
  'test:///default': ['unsupported', /driver test is not supported/],
};

for (const [text, [trouble, words]] of Object.entries(wrong)) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseUri(text),
      (error) =>
        error instanceof ConnectionError &&
        error.trouble === trouble &&
        words.test(error.message) &&
        error.message.includes(JSON.stringify(text.replace(':password@', ':...@'))),
    );
  });
}

test('a password is no part of a URI, and shown by no message', () => {
  for (const uri of [
    'qemu+tcp://root:SECRET@host/system',
    'xen://root:SEC@RET@host/',
    'qemu+ssh://:SECRET@h/x',
  ])
    assert.throws(
      () => parseUri(uri),
      ({ message }: Error) => message.includes(':...@') && !/SEC|RET/.test(message),
    );
});
