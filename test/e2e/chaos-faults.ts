import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosLab, Run } from './chaos-lab.ts';
import type { DiskState } from './chaos-disk.ts';
import type { HttpPeer, LinePeer } from './delivery-peers.ts';

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Dice {
  constructor(private state: number) {}

  /** From 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.next() * all.length)]!;
  }
}

/** Something that happens to one thing, and what ends it. */
interface Fault {
  readonly name: string;
  /** Seconds that it lasts at most. */
  readonly most?: number;
  begin(): void | Promise<void>;
  end?(): void | Promise<void>;
}

/** One thing that things happen to, one after the other, each for a while. */
interface Victim {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Seconds between two faults, and of a fault: the least and the most. */
  readonly rest: readonly [number, number];
  readonly lasts: readonly [number, number];
}

/** What happened, and when: seconds since the beginning, and how many samples there were. */
export type Diary = string[];

/**
 * Lets things happen to everything around proxtop, and to proxtop, for some seconds. Each thing has its own dice, so
 * that the schedule follows from the seed; what falls together does so by chance. In the end all is well again.
 *
 * @param kills whether proxtop is killed too
 */
export async function wreak(
  lab: ChaosLab,
  seed: number,
  seconds: number,
  kills: boolean,
): Promise<{ readonly diary: Diary; readonly last: Run }> {
  const end = performance.now() + seconds * 1000;
  const diary: Diary = [];
  const note = (what: string): void => {
    const at = ((performance.now() - end) / 1000 + seconds).toFixed(1);
    diary.push(`${at} s, ${lab.truth.samples.length} samples: ${what}`);
  };
  const program = new ProgramVictim(lab, kills, new Dice(seed), await lab.start());
  const victims = [
    linePeer('lines', lab.peers.lines),
    linePeer('plain', lab.peers.plain),
    webPeer(lab.peers.web, new Dice(seed + 1)),
    network(lab),
    disk(lab),
    clock(lab, new Dice(seed + 2)),
    program,
  ];
  const watch = setInterval(() => {
    lab.truth.read();
  }, 100);
  try {
    await Promise.all(
      victims.map((victim, index) => torment(victim, new Dice(seed * 31 + index), end, note)),
    );
  } finally {
    clearInterval(watch);
  }
  return { diary, last: program.run };
}

async function torment(victim: Victim, dice: Dice, end: number, note: (what: string) => void): Promise<void> {
  for (;;) {
    await sleep(dice.between(...victim.rest) * 1000);
    if (performance.now() >= end) return;
    const fault = dice.pick(victim.faults);
    const name = `${victim.name} ${fault.name}`;
    note(name);
    await fault.begin();
    // Mostly short, sometimes long enough for a spool to overflow.
    const lasts = dice.between(...victim.lasts) * (dice.next() < 0.15 ? 5 : 1);
    await sleep(Math.min(lasts, fault.most ?? Infinity) * 1000);
    await fault.end?.();
    if (fault.end !== undefined) note(`${name}: over`);
  }
}

/**
 * Seconds that a receiver stalls at most which then dies. What its kernel has had for 5 s counts as arrived, as nothing
 * but the application could tell more: in a longer stall these records would be lost without a count, as documented.
 */
const window = 4;

function linePeer(name: string, peer: LinePeer): Victim {
  const back = async (): Promise<void> => {
    await peer.die();
    await peer.listen();
  };
  const faults: readonly Fault[] = [
    { name: 'dies', begin: () => peer.die(), end: () => peer.listen() },
    {
      name: 'stalls',
      begin: () => {
        peer.stall();
      },
      end: () => {
        peer.goOn();
      },
    },
    {
      name: 'stalls and dies',
      most: window,
      begin: () => {
        peer.stall();
      },
      end: back,
    },
    {
      name: 'reads a little, stalls and dies',
      most: window,
      begin: () => {
        peer.stall(20);
      },
      end: back,
    },
    {
      name: 'resets',
      begin: () => {
        peer.reset();
      },
    },
    {
      name: 'half-closes',
      begin: () => {
        peer.halfClose();
      },
    },
    {
      name: 'dies again and again',
      begin: async () => {
        for (let round = 0; round < 5; round++) {
          await peer.die();
          await sleep(100);
          await peer.listen();
          await sleep(200);
        }
      },
    },
  ];
  return { name, faults, rest: [1, 6], lasts: [0.2, 6] };
}

function webPeer(peer: HttpPeer, dice: Dice): Victim {
  const well = (): void => {
    peer.answer = () => 204;
  };
  const answers = (name: string, answer: HttpPeer['answer']): Fault => ({
    name,
    begin: () => {
      peer.answer = answer;
    },
    end: well,
  });
  const faults: readonly Fault[] = [
    { name: 'dies', begin: () => peer.die(), end: () => peer.listen() },
    answers('hangs', () => undefined),
    answers('answers 503', () => 503),
    answers('answers 429', () => 429),
    answers('refuses some', () => (dice.next() < 0.3 ? 400 : 204)),
    answers('answers 413 to large ones', (records) => (records.length > 4 ? 413 : 204)),
    answers('is moody', () => dice.pick([204, 500, 302, undefined, 408])),
  ];
  return { name: 'web', faults, rest: [1, 6], lasts: [0.2, 6] };
}

function network({ network: net }: ChaosLab): Victim {
  const faults: readonly Fault[] = [
    {
      name: 'swallows all',
      begin: () => {
        net.swallow(1);
      },
      end: () => {
        net.swallow(0);
      },
    },
    {
      name: 'swallows some',
      begin: () => {
        net.swallow(0.3);
      },
      end: () => {
        net.swallow(0);
      },
    },
    {
      name: 'is unplugged',
      begin: () => {
        net.plug(false);
      },
      end: () => {
        net.plug(true);
      },
    },
  ];
  return { name: 'network', faults, rest: [8, 25], lasts: [0.5, 4] };
}

function disk(lab: ChaosLab): Victim {
  const states: readonly DiskState[] = ['full', 'read-only', 'hangs'];
  const faults = states.map((state): Fault => ({
    name: `is ${state === 'hangs' ? 'hanging' : state}`,
    begin: () => {
      lab.diskTroubles.push({ from: performance.now(), to: Infinity });
      lab.disk.become(state);
    },
    end: () => {
      lab.disk.become('good');
      lab.diskTroubles.at(-1)!.to = performance.now();
    },
  }));
  return { name: 'disk', faults, rest: [4, 15], lasts: [1, 5] };
}

function clock(lab: ChaosLab, dice: Dice): Victim {
  const faults: readonly Fault[] = [
    {
      name: 'is set',
      begin: () => {
        lab.step(Math.round(dice.between(-5000, 5000)));
      },
    },
    {
      name: 'is right again',
      begin: () => {
        lab.step(0);
      },
    },
  ];
  return { name: 'clock', faults, rest: [10, 30], lasts: [0, 0] };
}

/** proxtop itself: it is reloaded, ended and started again, and perhaps killed. */
class ProgramVictim implements Victim {
  readonly name = 'proxtop';
  readonly rest = [2, 12] as const;
  readonly lasts = [0, 1] as const;
  readonly faults: readonly Fault[];

  constructor(
    private readonly lab: ChaosLab,
    kills: boolean,
    private readonly dice: Dice,
    public run: Run,
  ) {
    const again = (signal: 'SIGTERM' | 'SIGKILL') => async (): Promise<void> => {
      await lab.end(this.run, signal);
      this.run = await lab.start();
    };
    this.faults = [
      { name: 'is reloaded twice', begin: () => this.reload(2), end: () => this.reload(1, true) },
      { name: 'is reloaded often', begin: () => this.reload(6), end: () => this.reload(1, true) },
      {
        name: 'is reloaded and ended',
        begin: () => this.reload(1),
        end: async () => {
          lab.configure({});
          await again('SIGTERM')();
        },
      },
      { name: 'is ended', begin: again('SIGTERM') },
      ...(kills ? [{ name: 'is killed', begin: again('SIGKILL') }] : []),
    ];
  }

  /** Reloads some times within two seconds. @param original whether to the first configuration */
  private async reload(times: number, original = false): Promise<void> {
    const { lab, dice } = this;
    const { other } = lab.peers;
    for (let time = 0; time < times; time++) {
      const changes: readonly Parameters<ChaosLab['configure']>[0][] = [
        { lines: { target: other.target } },
        { lines: { spool: 'false', target: other.target } },
        { lines: { timeout: 2 }, web: { timeout: 2 }, plain: { timeout: 2 } },
        { web: undefined },
        { lines: undefined, plain: undefined },
        { plain: { queue_bytes: '512K' }, web: { spool_sync: 1 } },
        { lines: { when_full: 'drop_newest' }, plain: { when_full: 'drop_newest' } },
        { web: { timeout: 'often' } },
      ];
      lab.configure(original ? {} : dice.pick(changes));
      this.run.child.kill('SIGHUP');
      await sleep(dice.between(0, 1900 / times));
    }
  }
}
