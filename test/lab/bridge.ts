import { execFile, execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { until } from './processes.ts';
import { macAddress } from './vm.ts';
import type { LabNic } from './vm.ts';

const run = promisify(execFile);

/** Ethernet, IPv4 and UDP headers: what a frame needs at least. */
const HEADERS = 14 + 20 + 8;
const LONGEST_FRAME = 1514;
/** The kernel keeps 1000 frames for a tap; a part of that at a time is never dropped. */
const FRAMES_AT_ONCE = 250;
const DISCARD_PORT = 9;
/** The range for benchmarks of networks: 198.18.0.0/15. */
const RANGE = 198 * 2 ** 24 + 18 * 2 ** 16;
const RANGE_PREFIX = 15;
/** A bridge of Linux has 1023 ports at most (BR_PORT_BITS): a network with an address for each of them. */
const PREFIX = 22;
const NETWORK_SIZE = 2 ** (32 - PREFIX);
/** BR_STATE_FORWARDING of linux/if_bridge.h. */
const FORWARDING = '3';

/** Counters of a tap as the host sees them: what the host transmits the guest receives. */
export interface TapCounters {
  readonly rxPackets: number;
  readonly rxBytes: number;
  readonly txPackets: number;
  readonly txBytes: number;
}

/** The counters of a tap, from sysfs. */
export function tapCounters(tap: string): TapCounters {
  const read = (counter: string): number =>
    Number(readFileSync(`/sys/class/net/${tap}/statistics/${counter}`, 'latin1'));
  return {
    rxPackets: read('rx_packets'),
    rxBytes: read('rx_bytes'),
    txPackets: read('tx_packets'),
    txBytes: read('tx_bytes'),
  };
}

/**
 * The bridge that the taps of a lab are attached to. It has no uplink and no IPv6, and its ports do not see each
 * other, so that nothing but what the lab sends and the tap's own guest crosses a tap.
 * The first tap brings it about; whoever made the lab removes it.
 */
export class LabBridge {
  readonly name = `lab${randomInt(1e9)}`;
  /** The bridge's network, in which each tap has an address. */
  private readonly network = freeNetwork();
  private readonly hosts = new Map<string, number>();

  /** Attaches the tap of a NIC and teaches the bridge its addresses, so that no frame is flooded and no ARP sent. */
  async attach({ tap, mac }: LabNic): Promise<void> {
    if (this.hosts.size === 0) this.make();
    silenceIpv6(tap);
    const host = this.hosts.get(tap) ?? this.hosts.size + 2;
    this.hosts.set(tap, host);
    await run('ip', ['link', 'set', tap, 'master', this.name, 'up']);
    await run('ip', ['link', 'set', tap, 'type', 'bridge_slave', 'isolated', 'on']);
    await run('bridge', ['fdb', 'replace', mac, 'dev', tap, 'master', 'static']);
    await run('ip', ['neigh', 'replace', addressIn(this.network, host), 'lladdr', mac, 'dev', this.name]);
    // The kernel notices the carrier a moment later; until then it drops every frame.
    const forwarding = (): boolean => brport(tap) === FORWARDING && operstate(this.name) === 'up';
    await until(`${this.name} forwards to ${tap}`, forwarding);
  }

  /**
   * Sends frames of a given length (Ethernet header included) through the bridge to a tap. Resolves when all of them
   * have crossed it.
   * @throws Error when QEMU does not take them from the tap: the VM is paused, or its NIC needs a driver
   */
  async send({ tap }: LabNic, frames: number, bytes: number): Promise<void> {
    if (bytes < HEADERS || bytes > LONGEST_FRAME) {
      throw new RangeError(`frame length: expected ${HEADERS} to ${LONGEST_FRAME} bytes, found ${bytes}`);
    }
    const address = addressIn(this.network, this.hosts.get(tap) ?? 0);
    const payload = Buffer.alloc(bytes - HEADERS);
    const socket = createSocket('udp4');
    try {
      for (let left = frames; left > 0; left -= FRAMES_AT_ONCE) {
        const count = Math.min(left, FRAMES_AT_ONCE);
        const before = tapCounters(tap).txPackets;
        for (let frame = 0; frame < count; frame++) {
          await new Promise<void>((resolve, reject) => {
            socket.send(payload, DISCARD_PORT, address, (error) => {
              if (error === null) resolve();
              else reject(error);
            });
          });
        }
        await until(`${count} frames cross ${tap}`, () => tapCounters(tap).txPackets - before >= count);
      }
    } finally {
      socket.close();
    }
  }

  private make(): void {
    const ip = (...args: string[]): Buffer => execFileSync('ip', args);
    // With an address of its own: one taken over from a port changes with the ports, and then the kernel forgets the
    // neighbours.
    const own = ['address', macAddress('0200', randomInt(2 ** 32))];
    ip('link', 'add', this.name, ...own, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
    silenceIpv6(this.name);
    ip('addr', 'add', `${addressIn(this.network, 1)}/${PREFIX}`, 'dev', this.name);
    ip('link', 'set', this.name, 'up');
  }
}

/** A network of the range for benchmarks (RFC 2544) in which this host has no address: its first one, as a number. */
function freeNetwork(): number {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const taken = new Set(
    own.filter(({ family }) => family === 'IPv4').map(({ address }) => networkOf(numberOf(address))),
  );
  const all = Array.from(
    { length: 2 ** (PREFIX - RANGE_PREFIX) },
    (_, index) => RANGE + index * NETWORK_SIZE,
  );
  const free = all.filter((network) => !taken.has(network));
  const network = free[randomInt(free.length)];
  if (network === undefined) throw new Error('no free network in 198.18.0.0/15 for the bridge of the lab');
  return network;
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function networkOf(address: number): number {
  return address - (address % NETWORK_SIZE);
}

/** The address of a host in a network. */
function addressIn(network: number, host: number): string {
  return [24, 16, 8, 0].map((shift) => ((network + host) >>> shift) & 255).join('.');
}

/** State of a bridge port. */
function brport(device: string): string {
  return readFileSync(`/sys/class/net/${device}/brport/state`, 'latin1').trim();
}

function operstate(device: string): string {
  return readFileSync(`/sys/class/net/${device}/operstate`, 'latin1').trim();
}

function silenceIpv6(device: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '1');
  } catch {
    // A kernel without IPv6 is silent by itself.
  }
}
