import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { NetCollector } from '../../src/collectors/net/net.ts';
import { deriveTraffic, trafficSlots } from '../../src/collectors/net/net-traffic.ts';
import { VmNet } from '../../src/collectors/net/net-vm.ts';
import type { NicReading } from '../../src/guests/sources.ts';
import { Counters } from '../../src/kernel/base/counters.ts';
import { KernelFile } from '../../src/kernel/base/kernel-file.ts';
import { netDevCounters } from '../../src/kernel/proc/proc-net-dev.ts';
import { Row } from '../../src/catalogue/row.ts';
import type { Target } from '../../src/sampling/targets.ts';
import { TestHost, Tree, byDevice, known, pick, stoppedClock, testTarget, taps } from './support.ts';

type Numbers = readonly number[];

const HEADER = 'Inter-|   Receive  |  Transmit\n face |bytes packets ...|bytes packets ...\n';
const idle: Numbers = Array<number>(16).fill(0);

/** Columns of net/dev: what the host received, then what it transmitted. */
const columns = (received: Numbers, transmitted: Numbers): Numbers => [...received, ...transmitted];

test('rates, megabits and the share of dropped packets', () => {
  const row = new Row('host_nic');
  const grown = Float64Array.from([1_000_000, 60, 2, 20, 4, 6, 8, 10, 250_000, 0, 12, 0, 14, 16, 18, 22]);
  deriveTraffic(grown, 2, row.values, trafficSlots('host_nic'));
  assert.deepEqual(known(row), {
    net_rx_mbit: 4,
    net_tx_mbit: 1,
    net_rx_packets: 30,
    net_tx_packets: 0,
    net_rx_drop_percent: 25,
    net_rx_bytes: 500_000,
    net_tx_bytes: 125_000,
    net_rx_errors: 1,
    net_rx_dropped: 10,
    net_rx_fifo: 2,
    net_rx_frame: 3,
    net_rx_compressed: 4,
    net_rx_multicast: 5,
    net_tx_errors: 6,
    net_tx_dropped: 0,
    net_tx_fifo: 7,
    net_tx_collisions: 8,
    net_tx_carrier: 9,
    net_tx_compressed: 11,
  });
});

/** A host with two physical NICs of 1 and 10 Gbit/s, a bridge, and a VM with two taps. */
class Machine {
  readonly host = new TestHost();
  readonly vm: ReturnType<typeof testTarget>;
  readonly tree: Tree;
  private readonly at: (seconds: number) => void;
  private readonly collector: NetCollector;

  constructor(t: TestContext, netdev?: readonly string[], devices = true, rows?: readonly string[]) {
    this.tree = new Tree(t);
    this.at = stoppedClock(t);
    this.at(100);
    for (const [nic, speed] of [
      ['eth0', 1000],
      ['eth1', 10000],
      ['eth2', -1],
    ] as const) {
      this.tree.write(`sys/class/net/${nic}/device`, '');
      this.tree.write(`sys/class/net/${nic}/speed`, `${speed}\n`);
    }
    this.tree.write('sys/class/net/vmbr0/speed', '10000\n');
    this.vm = testTarget({ nics: taps('tap100i0', 'tap100i1') });
    this.collector = new NetCollector(this.tree.paths, { verbose: true, devices }, netdev, rows);
    t.after(() => {
      this.collector.close();
    });
  }

  /** A cycle in which the kernel says this of the interfaces. */
  cycle(time: number, lines: Readonly<Record<string, Numbers>>): Target {
    this.at(time);
    const text = Object.entries(lines).map(
      ([name, numbers]) => `${name.padStart(8)}: ${numbers.join(' ')}\n`,
    );
    this.tree.write('proc/net/dev', HEADER + text.join(''));
    const target = this.vm.begin();
    this.collector.collect(this.host.begin(), [target]);
    return target;
  }
}

const traffic = columns([1000, 10, 1, 2, 3, 4, 5, 6], [250_000, 300, 7, 100, 9, 11, 12, 13]);

test('a VM receives what the host transmits on its tap', (t) => {
  const machine = new Machine(t);
  machine.cycle(100, { tap100i0: idle });
  const {
    row,
    tree: { nics },
  } = machine.cycle(102, { tap100i0: traffic });
  const expected = {
    net_rx_mbit: 1,
    net_tx_mbit: 0.004,
    net_rx_packets: 150,
    net_tx_packets: 5,
    net_rx_drop_percent: 25,
    net_tx_drop_percent: (2 / 12) * 100,
    net_rx_bytes: 125_000,
    net_tx_bytes: 500,
    net_rx_errors: 3.5,
    net_rx_dropped: 50,
    net_rx_fifo: 4.5,
    net_rx_frame: 2,
    net_rx_compressed: 6.5,
    net_rx_multicast: 3,
    net_tx_errors: 0.5,
    net_tx_dropped: 1,
    net_tx_fifo: 1.5,
    net_tx_collisions: 5.5,
    net_tx_carrier: 6,
    net_tx_compressed: 2.5,
  };
  const { guest_type: _, UUID: __, name: ___, ...values } = known(row);
  assert.deepEqual(values, { ...expected, net_interfaces: 'tap100i0' });
  assert.deepEqual(byDevice(nics), { tap100i0: expected });
});

test('a NIC with limits says how near one of its directions comes to its own', (t) => {
  const machine = new Machine(t);
  const ids = ['net_mbit_limit', 'net_limit_used'];
  const [both, one, other] = taps('tap100i0', 'tap100i1', 'tap100i2');
  machine.vm.vm.nics = [
    { ...both!, limit: { received: 500_000, sent: 500_000 } },
    // The host's end of a tap receives what the guest sends.
    { ...one!, limit: { received: 500_000, sent: 100_000 } },
    { ...other!, limit: { received: 500_000, sent: undefined } },
  ];
  const first = machine.cycle(100, { tap100i0: idle, tap100i1: idle, tap100i2: idle });
  assert.deepEqual(pick(first.tree.nics[0]!, ...ids), [4, undefined]);
  const sent = columns([10_000, 10, 0, 0, 0, 0, 0, 0], Array<number>(8).fill(0));
  const { nics } = machine.cycle(102, { tap100i0: traffic, tap100i1: sent, tap100i2: sent }).tree;
  assert.deepEqual(
    nics.map((nic) => pick(nic, ...ids)),
    [
      [4, 25],
      [0.8, 5],
      [4, 0],
    ],
  );
});

const received = (bytes: number): Numbers =>
  columns([bytes, ...Array<number>(7).fill(0)], Array<number>(8).fill(0));

test('an interface that is read at the end of the guest has its directions', (t) => {
  const machine = new Machine(t);
  machine.vm.vm.nics = [{ device: 'macvtap0', end: 'guest' }, ...taps('tap100i0')];
  machine.cycle(100, { macvtap0: idle, tap100i0: idle });
  const { tree } = machine.cycle(102, { macvtap0: received(1000), tap100i0: received(300) });
  const rates = Object.entries(byDevice(tree.nics)).map(([nic, values]) => [
    nic,
    values['net_rx_bytes'],
    values['net_tx_bytes'],
  ]);
  assert.deepEqual(rates, [
    ['macvtap0', 500, 0],
    ['tap100i0', 0, 150],
  ]);
});

test('a guest in a network namespace of its own, and one whose traffic is told', (t) => {
  const at = stoppedClock(t);
  const tree = new Tree(t);
  const wanted = { verbose: false, devices: false };
  const file = (bytes: number): void => {
    tree.write('proc/7/net/dev', `${HEADER}  eth0: ${bytes} 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`);
  };
  const told = { kind: 'told' as const, time: 0, nics: [] as NicReading[] };
  const tell = (time: number, bytes: number): void => {
    const counters = new Counters(Object.keys(netDevCounters).length);
    counters.set(netDevCounters.rxBytes, bytes);
    Object.assign(told, { time, nics: [{ device: 'eth0', end: 'guest', counters }] });
  };
  const netDev = new KernelFile(join(tree.root, 'proc/7/net/dev'), true);
  t.after(() => {
    netDev.close();
  });
  for (const [source, next] of [
    [{ kind: 'namespace', netDev } as const, file],
    [
      told,
      (bytes: number) => {
        tell(performance.now() / 1000, bytes);
      },
    ],
  ] as const) {
    at(0);
    next(1000);
    const { target, begin } = testTarget({ nics: [{ device: 'eth0', end: 'guest' }] });
    const net = new VmNet(source);
    net.collect(begin(), wanted, undefined);
    at(2);
    next(5000);
    net.collect(begin(), wanted, undefined);
    assert.deepEqual(pick(target.row, 'net_interfaces', 'net_rx_bytes'), ['eth0', 2000], source.kind);
  }
});

test('taps come, go and start anew', (t) => {
  const machine = new Machine(t);
  const sent = (target: Target): unknown[] => [
    ...pick(target.row, 'net_interfaces', 'net_tx_bytes'),
    ...Object.values(byDevice(target.tree.nics)).map((values) => values['net_tx_bytes']),
  ];
  const [one, two] = ['tap100i0', 'tap100i1'];
  assert.deepEqual(sent(machine.cycle(100, {})), [undefined, undefined]);
  assert.deepEqual(sent(machine.cycle(101, { [one]: received(500) })), [one, undefined, undefined]);
  assert.deepEqual(sent(machine.cycle(102, { [one]: received(600), [two]: received(9000) })), [
    `${one};${two}`,
    100,
    100,
    undefined,
  ]);
  assert.deepEqual(sent(machine.cycle(103, { [one]: received(700), [two]: received(9010) })), [
    `${one};${two}`,
    110,
    100,
    10,
  ]);
  assert.deepEqual(sent(machine.cycle(104, { [two]: received(9030) })), [two, 20, 20]);
  assert.deepEqual(
    sent(machine.cycle(105, { [one]: received(5000), [two]: received(9060) })),
    [`${one};${two}`, 30, undefined, 30],
    'back as another tap',
  );
  assert.deepEqual(
    sent(machine.cycle(106, { [one]: received(1), [two]: received(9070) })),
    [`${one};${two}`, undefined, undefined, 10],
    'the counter went backwards',
  );
  machine.vm.vm.nics = [];
  assert.deepEqual(sent(machine.cycle(107, { [one]: received(2) })), [undefined, undefined]);
});

test('the host is the sum of its physical NICs, its speed that of the links that are up', (t) => {
  const machine = new Machine(t);
  const lines = { lo: idle, eth0: idle, eth1: idle, eth2: idle, vmbr0: idle, tap100i0: idle };
  machine.cycle(100, lines);
  machine.cycle(104, { ...lines, eth0: traffic, eth1: received(3000), vmbr0: traffic, lo: traffic });
  const {
    row,
    tree: { nics },
  } = machine.host;
  assert.deepEqual(pick(row, 'net_rx_bytes', 'net_tx_bytes', 'net_speed'), [1000, 62_500, 11_000]);
  const speeds = Object.entries(byDevice(nics)).map(([nic, values]) => [nic, values['net_speed']]);
  assert.deepEqual(speeds, [
    ['eth0', 1000],
    ['eth1', 10000],
    ['eth2', undefined],
  ]);
});

test('the sum runs over the named interfaces instead; rows only where they are wanted', (t) => {
  const machine = new Machine(t, ['vmbr0', 'nosuch'], false);
  machine.cycle(100, { eth0: idle, vmbr0: idle, tap100i0: idle });
  const target = machine.cycle(101, { eth0: traffic, vmbr0: received(70), tap100i0: idle });
  assert.deepEqual(pick(machine.host.row, 'net_rx_bytes', 'net_speed'), [70, 10_000]);
  assert.deepEqual([machine.host.tree.nics, target.tree.nics], [[], []]);
});

test('a NIC that is plugged in is found at the next look', (t) => {
  t.mock.method(Math, 'random', () => 1); // the looks come every 5 s from the first one on
  const machine = new Machine(t);
  const rates = (time: number, lines: Record<string, Numbers>): unknown => {
    machine.cycle(time, lines);
    return pick(machine.host.row, 'net_rx_bytes')[0];
  };
  rates(100, { eth0: idle });
  assert.equal(rates(101, { eth0: idle, eth1: received(5000) }), 0);
  assert.equal(rates(106, { eth0: idle, eth1: received(6000) }), 0);
  assert.equal(rates(107, { eth0: idle, eth1: received(7000) }), 1000);
  assert.equal(rates(108, { eth1: received(7010) }), 10);
});

test('the functions of a NIC are not summed beside it', (t) => {
  const machine = new Machine(t);
  const functions = ['eth0v0', 'eth0v1', 'eth0v2', 'eth0v3'];
  for (const name of functions) {
    machine.tree.write(`sys/class/net/${name}/device/physfn`, '');
    machine.tree.write(`sys/class/net/${name}/speed`, '1000\n');
  }
  const lines = Object.fromEntries(['eth0', ...functions].map((name) => [name, idle]));
  machine.cycle(100, lines);
  machine.cycle(101, Object.fromEntries(['eth0', ...functions].map((name) => [name, received(500)])));
  const {
    row,
    tree: { nics },
  } = machine.host;
  assert.deepEqual(pick(row, 'net_rx_bytes', 'net_speed'), [500, 1000]);
  assert.deepEqual(Object.keys(byDevice(nics)), ['eth0']);
});

test('rows of the interfaces that somebody chose, whatever the sum runs over', (t) => {
  const machine = new Machine(t, undefined, true, ['vmbr*', 'eth1', '!vmbr9']);
  machine.cycle(100, { eth0: idle, eth1: idle, vmbr0: idle, vmbr9: idle });
  machine.cycle(101, { eth0: received(70), eth1: received(5), vmbr0: received(3), vmbr9: idle });
  const {
    row,
    tree: { nics },
  } = machine.host;
  assert.deepEqual(pick(row, 'net_rx_bytes', 'net_speed'), [75, 11_000]);
  const rates = Object.entries(byDevice(nics)).map(([nic, values]) => [nic, values['net_rx_bytes']]);
  assert.deepEqual(rates, [
    ['eth1', 5],
    ['vmbr0', 3],
  ]);
});

for (const [why, before] of [
  ['its counters go back', 900_000],
  ['its number is another one, at the next look', 0],
] as const) {
  test(`a bridge that gets the name of a NIC is found when ${why}`, (t) => {
    t.mock.method(Math, 'random', () => 1);
    const machine = new Machine(t);
    const give = (names: Readonly<Record<string, number>>): void => {
      for (const [name, index] of Object.entries(names))
        machine.tree.write(`sys/class/net/${name}/ifindex`, `${index}\n`);
    };
    const rates = (time: number, lines: Record<string, Numbers>): unknown[] => {
      machine.cycle(time, lines);
      const values = pick(machine.host.row, 'net_rx_bytes');
      return [...values, ...Object.keys(byDevice(machine.host.tree.nics))];
    };
    give({ eth0: 2, vmbr0: 5 });
    machine.cycle(100, { eth0: received(before), vmbr0: idle });
    assert.deepEqual(rates(104, { eth0: received(before + 400), vmbr0: received(4) }), [100, 'eth0']);
    // The hardware is vmbr0 now.
    machine.tree.remove('sys/class/net/eth0/device');
    machine.tree.write('sys/class/net/vmbr0/device', '');
    give({ eth0: 5, vmbr0: 2 });
    const swapped = (seconds: number): Record<string, Numbers> => ({
      eth0: received(1000 + 7 * seconds),
      vmbr0: received(before + 500 + 100 * seconds),
    });
    assert.deepEqual(rates(105, swapped(0)), [undefined, 'vmbr0'], 'both start anew');
    assert.deepEqual(rates(107, swapped(2)), [100, 'vmbr0']);
  });
}
