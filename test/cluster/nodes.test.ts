import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockOffset } from '../../src/cluster/clock-offset.ts';
import { HostsError, parseHosts } from '../../src/cluster/hosts-list.ts';
import { parseGuestNodes, parseMembers } from '../../src/cluster/members.ts';
import { memberName } from '../../src/cluster/node-address.ts';
import { RecordStream, StreamError } from '../../src/cluster/ssh/record-stream.ts';
import { REMOTE_COMMAND, sshArguments } from '../../src/cluster/ssh/ssh-command.ts';
import { causeOf } from '../../src/cluster/ssh/ssh-trouble.ts';
import { ChangesPrinter } from '../../src/formats/changes/changes-printer.ts';
import { sampleOf } from '../formats/sample.ts';

test('a list of nodes is taken apart', () => {
  assert.deepEqual(
    parseHosts('pve1, admin@kvm2,kvm-3.example:2222,[2001:db8::1],root@[fe80::1%eth0]:22,192.0.2.7').map(
      ({ name, user, host, port }) => [name, user, host, port],
    ),
    [
      ['pve1', undefined, 'pve1', undefined],
      ['kvm2', 'admin', 'kvm2', undefined],
      ['kvm-3.example:2222', undefined, 'kvm-3.example', 2222],
      ['2001:db8::1', undefined, '2001:db8::1', undefined],
      ['[fe80::1%eth0]:22', 'root', 'fe80::1%eth0', 22],
      ['192.0.2.7', undefined, '192.0.2.7', undefined],
    ],
  );
});

test('what cannot be a node is refused, and so is a node that is named twice', () => {
  const strange = [
    '',
    ',',
    'a,,b',
    ' ',
    '-oProxyCommand=x',
    'a;b',
    '$(x)',
    'a b',
    'a\nb',
    'a\0',
    'ü',
    'x'.repeat(254),
  ];
  const addresses = [
    '256.1.1.1',
    '1.2.3',
    '[1.2.3.4]',
    '[::1',
    '::1',
    '[fe80::1%-x]',
    'a:0',
    'a:65536',
    'a:',
    'a:b',
    'a:1:2',
  ];
  const users = ['@a', '-l@a', 'a@b@c', 'a b@c', '`x`@a', `${'u'.repeat(65)}@a`];
  for (const text of [...strange, ...addresses, ...users, 'a,b,A', 'a@b,c@b', '[::1],[::1]'])
    assert.throws(() => parseHosts(text), HostsError, JSON.stringify(text));
  assert.throws(() => parseHosts(Array.from({ length: 65 }, (_, index) => `n${index}`).join()), /at most 64/);
  assert.throws(() => parseHosts('pve1,pve1'), /found pve1 twice/);
  assert.throws(() => parseHosts('a\x1b[2Jb'), /found "a\?\[2Jb", expected nodes separated by commas/);
});

test('ssh is told what Proxmox tells it, and nothing that the node says', () => {
  const name = memberName('pve2')!;
  const member = { knownHosts: '/etc/pve/nodes/pve2/ssh_known_hosts' };
  const words = sshArguments({ name, user: 'root', host: '192.0.2.2', member });
  const options = words.filter((_, index) => words[index - 1] === '-o');
  for (const option of [
    'BatchMode=yes',
    'HostKeyAlias=pve2',
    'UserKnownHostsFile="/etc/pve/nodes/pve2/ssh_known_hosts"',
    'GlobalKnownHostsFile=none',
    'ControlMaster=no',
  ])
    assert.ok(options.includes(option), option);
  assert.deepEqual(words.slice(-5), ['-l', 'root', '--', '192.0.2.2', REMOTE_COMMAND]);
  const [kvm] = parseHosts('kvm2:2222');
  assert.ok(!sshArguments(kvm!).some((word) => /HostKey|KnownHosts/.test(word)));
  assert.deepEqual(sshArguments(kvm!).slice(-5), ['-p', '2222', '--', 'kvm2', REMOTE_COMMAND]);
});

test('the members of a cluster, with what cannot be left out', () => {
  const cluster = { name: 'c', version: 3, nodes: 3, quorate: 1 };
  const nodelist = {
    pve2: { id: 2, online: 0, ip: '192.0.2.2' },
    pve1: { id: 1, online: 1, ip: '192.0.2.1' },
    pve3: { id: 3, online: 1 },
    pve4: { id: 4, online: 1, ip: '-oProxyCommand=x' },
    '-x': { id: 5, online: 1, ip: '192.0.2.5' },
    'a b': null,
  };
  const members = parseMembers(JSON.stringify({ nodename: 'pve1', version: 7, cluster, nodelist }));
  assert.deepEqual(members, {
    self: 'pve1',
    cluster: 'c',
    quorate: true,
    nodes: [
      { name: 'pve1', online: true, ip: '192.0.2.1' },
      { name: 'pve2', online: false, ip: '192.0.2.2' },
      { name: 'pve3', online: true, ip: undefined },
      { name: 'pve4', online: true, ip: undefined },
    ],
  });
  assert.deepEqual(parseMembers('{"nodename":"pve1","version":7}'), {
    self: 'pve1',
    cluster: undefined,
    quorate: false,
    nodes: [],
  });
  for (const text of ['', '[]', '{', '{"nodename":"-x"}', `{"nodename":"pve1"}${' '.repeat(1 << 20)}`])
    assert.equal(parseMembers(text), undefined);
});

test('where the guests of a cluster are', () => {
  const ids = {
    100: { node: 'pve1', type: 'qemu', version: 1 },
    101: { node: '../x' },
    x: { node: 'pve1' },
    102: 7,
  };
  assert.deepEqual([...parseGuestNodes(JSON.stringify({ version: 1, ids }))!], [['100', 'pve1']]);
  assert.equal(parseGuestNodes('{}'), undefined);
});

test('the clock of a node is told from what the way takes', () => {
  const clock = new ClockOffset();
  assert.equal(clock.offset, 0);
  for (const came of [1300, 1080, 1500]) clock.add(1000, 0, came, came);
  assert.equal(clock.offset, 0);
  assert.equal(clock.lateness, 420);
  clock.add(61_000, 1, 1100, 1100);
  assert.equal(clock.offset, 59_900);
  const behind = new ClockOffset();
  behind.add(1000, NaN, 31_100, 31_100);
  assert.equal(behind.offset, -30_100);
  assert.equal(behind.lateness, 0);
});

/** A node that takes a sample every second, which comes 80 ms later, and its clock. */
function everySecond(): (second: number, theirs: number, ours: number, late?: number) => readonly number[] {
  const clock = new ClockOffset();
  let last = NaN;
  /** @param theirs, ours ms that the clocks are set by @returns what is told */
  return (second, theirs, ours, late = 0) => {
    const at = second * 1000 + 80 + late;
    clock.add(second * 1000 + theirs, second - last, at + ours, at);
    last = second;
    return [clock.offset, clock.lateness];
  };
}

test('a clock that is set is told at once, and makes nothing late', () => {
  const second = everySecond();
  assert.deepEqual(second(1, 0, 0), [0, 0]);
  assert.deepEqual(second(2, 300_000, 0), [299_920, 0], 'forward');
  assert.deepEqual(second(3, -120_000, 0), [-120_080, 0], 'back');
  assert.deepEqual(second(4, -120_000, 0, 5000), [-120_080, 5000], 'late is late all the same');
  assert.deepEqual(second(10, -120_000, 0), [-120_080, 0]);
  assert.deepEqual(second(11, 0, 0), [0, 0]);
  assert.deepEqual(second(12, 0, 600_000), [-600_080, 0], 'ours');
  assert.deepEqual(second(13, 0, -600_000), [599_920, 0]);
  assert.deepEqual(second(14, -600, 0), [0, 0], 'back by less than an interval');
  assert.deepEqual(second(15, -4600, 0, 5000), [-4680, 5000], 'back while the link is slow');
  assert.deepEqual(second(20, -4600, 0), [-4680, 0]);
});

test('a clock that stands still, or goes too slowly, makes nothing late', () => {
  const second = everySecond();
  second(1, 0, 0);
  for (let number = 2; number < 100; number++) {
    const stands = 1000 * (1 - number);
    assert.deepEqual(second(number, stands, 0), [stands - 80, 0]);
  }
  // Half of each second.
  for (let number = 100; number < 200; number++)
    assert.equal(second(number, -99_000 - 500 * (number - 100), 0)[1], 0);
  assert.deepEqual(second(200, 0, 0), [0, 0]);
  // What it lost before it was seen to stand seems to be time on the way; it is right again all the same.
  second(201, -150, 0);
  second(202, -1150, 0);
  assert.deepEqual(second(203, 0, 0), [0, 150]);
});

test('records come in pieces of any size; what is no record, too large or too much ends the stream', () => {
  const printer = new ChangesPrinter();
  const records = [1, 2, 3].map((seq) => Buffer.concat(printer.print(sampleOf({ seq }))));
  const [record = Buffer.alloc(0)] = records;
  const bytes = Buffer.concat(records);
  for (const size of [1, 7, record.length, bytes.length]) {
    const found: unknown[] = [];
    const stream = new RecordStream(({ seq }) => found.push(seq));
    for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size), 0);
    assert.deepEqual(found, [1, 2, 3]);
  }
  const refused = (pieces: readonly Buffer[], kind: string, text: RegExp) => {
    const stream = new RecordStream(() => undefined);
    assert.throws(
      () => {
        for (const piece of pieces) stream.push(piece, 0);
      },
      (error) => error instanceof StreamError && error.kind === kind && text.test(error.message),
    );
  };
  refused([Buffer.from('Last login: \x1b[1m today\n')], 'garbled', /found "Last login: \?\[1m today"/);
  refused([Buffer.from('{"schema":1}\n')], 'garbled', /expected samples/);
  refused([Buffer.of(0x80)], 'garbled', /no sample/);
  refused(
    Array.from({ length: 100 }, () => record),
    'garbled',
    /more than 4 samples a second/,
  );
  const text = Buffer.from([0x81, 0xdb, 0x7f, 0xff, 0xff, 0xff]);
  refused(
    [text, ...Array.from({ length: 9 }, () => Buffer.alloc(1 << 20))],
    'garbled',
    /more than 8 MiB as one/,
  );
});

test('what ssh says is told in a sentence', () => {
  const said = (code: number | null, words: string) => causeOf({ code, signal: null, words });
  assert.deepEqual(said(255, 'x\r\nssh: connect to host a port 22: No route to host\r\n'), {
    kind: 'unreachable',
    text: 'ssh: connect to host a port 22: No route to host',
  });
  assert.equal(said(255, 'root@a: Permission denied (publickey).\n').kind, 'refused');
  assert.equal(
    said(255, '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.').text,
    'its host key is not the one that is known here',
  );
  assert.equal(said(127, 'sh: proxtop: not found').kind, 'no-program');
  assert.deepEqual(said(2, 'Welcome\nproxtop: --changes: unknown flag; see proxtop --help\n'), {
    kind: 'schema',
    text: 'the proxtop there is older than this one: install the same version on both',
  });
  assert.equal(said(2, 'proxtop: --config: no such file').kind, 'ended');
  assert.equal(said(2, `\x1b[2J${'x'.repeat(5000)}`).text.length < 300, true);
  assert.doesNotMatch(said(2, '\x1b[2J\x07').text, /\p{Cc}/u);
});
