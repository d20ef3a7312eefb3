import type { Logger } from 'pino';
import { isShortage } from '../../kernel/base/open-files.ts';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import { Limiter } from '../../qmp/limiter.ts';
import type { Attention } from '../attention.ts';
import type { QemuVm } from './qemu-vm.ts';
import { SlowFiles } from '../slow-files.ts';

/** ms in which the storage of an image file has to answer. */
const STORAGE_DEADLINE = 1000;

/** Lines of the log about monitors within a minute. */
const MOST_LINES = 100;

/** Polls the monitors of QEMU processes that are due, some at a time, and logs when one stops or resumes answering. */
export class QemuPoller {
  /** Polls since the start that got no answer. */
  failures = 0;
  private readonly limiter = new Limiter();
  private readonly storage = new SlowFiles(STORAGE_DEADLINE);
  private readonly lines = new MinuteLimit(MOST_LINES);
  /** VMs that are being asked or wait for their turn. */
  private readonly asked = new Set<QemuVm>();
  /** VMs whose silence was logged, and its reason. */
  private readonly reported = new WeakMap<QemuVm, string>();

  /** @param attention says who is asked more often */
  constructor(
    private readonly log: Logger,
    private readonly attention?: Attention,
  ) {}

  /**
   * Those of the VMs that are to be asked now.
   * @param time monotonic seconds
   * @param everyone asks every monitor, due or not
   */
  due<T extends QemuVm>(vms: readonly T[], time: number, everyone: boolean): readonly T[] {
    const free = vms.filter((vm) => !this.asked.has(vm) && vm.monitor?.due(time) === true);
    if (everyone) return free;
    const due = free.filter((vm) => vm.schedule.due(time));
    if (this.attention === undefined) return due;
    const others = free.filter((vm) => !vm.schedule.due(time));
    return [...due, ...this.attention.choose(others, time)];
  }

  /** Asks VMs that are {@link due}. */
  async poll(due: readonly QemuVm[]): Promise<void> {
    for (const vm of due) this.asked.add(vm);
    await Promise.all(due.map((vm) => this.limiter.run(() => this.ask(vm))));
  }

  private async ask(vm: QemuVm): Promise<void> {
    const before = vm.silence?.reason;
    const failure = vm.monitor && (await vm.ask(vm.monitor, this.storage));
    this.asked.delete(vm);
    if (!vm.process.open) return;
    if (failure === undefined) {
      if (this.reported.delete(vm)) this.say('info', `VM ${vm.label}: the monitor answers again`);
      return;
    }
    this.failures++;
    const { reason } = failure;
    // Logged once for all.
    if (isShortage(failure)) return;
    // A QEMU that is just starting or ending refuses us once: an error counts when it comes twice.
    if (reason === this.reported.get(vm) || (reason === 'error' && before !== 'error')) return;
    this.reported.set(vm, reason);
    this.say('warn', `VM ${vm.label}: QMP values are omitted (${reason}): ${failure.message}`);
  }

  /** Logs so many lines a minute: any user can start processes whose monitors fail, and end them again. */
  private say(level: 'info' | 'warn', line: string): void {
    if (!this.lines.due()) {
      this.log.debug(line);
      return;
    }
    this.log[level](line);
    if (this.lines.usedUp)
      this.log.warn(
        'further messages about monitors are suppressed for a minute; see qmp in the rows of VMs',
      );
  }
}
