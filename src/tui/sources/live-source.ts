import type { Attention } from '../../guests/attention.ts';
import type { Pace } from '../../sampling/pace.ts';
import type { Sample } from '../../sampling/sample.ts';
import type { Moment } from '../moments/moment.ts';
import { MomentMaker } from '../moments/moment-maker.ts';
import type { Past } from '../moments/past.ts';
import { ScrollBack } from '../moments/scroll-back.ts';
import type { Desk, Source, SourceCommand } from './source.ts';

/** Seconds between two samples that the keys + and - choose among. */
const intervals = [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60, 300];

/** The samples of this host, as they are taken, and those that were. */
export class LiveSource implements Source {
  readonly commands: readonly SourceCommand[];
  private readonly maker: MomentMaker;
  private readonly scrollBack: ScrollBack;
  private readonly ofPace: readonly SourceCommand[] = [
    {
      keys: ['+', '='],
      label: '+',
      help: 'longer interval, also for outputs',
      act: (_, desk) => {
        this.change(
          intervals.find((each) => each > this.interval),
          desk,
        );
      },
    },
    {
      keys: ['-'],
      label: '-',
      help: 'shorter interval, also for outputs',
      act: (_, desk) => {
        this.change(
          intervals.findLast((each) => each < this.interval),
          desk,
        );
      },
    },
    {
      keys: ['space'],
      label: 'space',
      help: 'sample now',
      act: (_, desk) => {
        this.scrollBack.toNow(desk);
        this.pace.sampleNow();
      },
    },
  ];

  /** @param attend as {@link MomentMaker} calls it */
  constructor(
    private readonly pace: Pace,
    private readonly attention: Pick<Attention, 'watch'>,
    private readonly stop: AbortController,
    past: Past,
    attend?: () => void,
  ) {
    this.maker = new MomentMaker(undefined, attend);
    this.scrollBack = new ScrollBack(past, () => {
      this.maker.release();
    });
    this.commands = [...this.ofPace, ...this.scrollBack.commands];
  }

  get note(): readonly string[] {
    return this.scrollBack.note;
  }

  /** Takes a sample; has read it when this returns. @returns the moment that is to be shown, this one or one that has been */
  take(sample: Sample): Moment {
    return this.scrollBack.take(this.maker.take(sample));
  }

  /** Resolves when all keys pressed so far have had their effect. */
  idle(): Promise<void> {
    return this.scrollBack.idle();
  }

  get interval(): number {
    return this.pace.frequency;
  }

  setInterval(seconds: number): void {
    this.pace.frequency = seconds;
  }

  watch(guests: ReadonlySet<string>, expanded: ReadonlySet<string>): void {
    this.attention.watch(guests, expanded);
  }

  quit(): void {
    this.stop.abort();
  }

  private change(seconds: number | undefined, desk: Desk): void {
    if (seconds !== undefined) this.pace.frequency = seconds;
    desk.tell(`interval ${this.interval} s`);
  }
}
