import type { Attention } from '../../guests/attention.ts';
import type { Pace } from '../../sampling/pace.ts';
import type { Desk, Source, SourceCommand } from './source.ts';

/** Seconds between two samples that the keys + and - choose among. */
const intervals = [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60, 300];

/** The samples of this host, as they are taken. */
export class LiveSource implements Source {
  readonly note = '';
  readonly commands: readonly SourceCommand[] = [
    {
      keys: ['+', '='],
      label: '+',
      help: 'longer interval, for outputs too',
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
      help: 'shorter interval',
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
      help: 'take a sample now',
      act: () => {
        this.pace.sampleNow();
      },
    },
  ];

  constructor(
    private readonly pace: Pace,
    private readonly attention: Pick<Attention, 'watch'>,
    private readonly stop: AbortController,
  ) {}

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
