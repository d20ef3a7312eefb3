import { slots } from '../metrics/catalogue.ts';
import { Row } from '../metrics/row.ts';

const id = slots('agent', 'agent');

/** What the outputs have done so far, all together. */
export interface OutputTotals {
  readonly queued: number;
  readonly queuedBytes: number;
  readonly sent: number;
  readonly dropped: number;
  readonly reconnects: number;
}

/** Counts since the start that other parts keep. */
export interface AgentCounts {
  readonly missedTicks: number;
  readonly collectorErrors: number;
  readonly pollFailures: number;
}

/** What proxtop itself costs and how it fares. */
export class Agent {
  readonly row = new Row('agent');
  private cycleMs = NaN;
  private cpu: NodeJS.CpuUsage | undefined;

  /** Notes how long a cycle took, ms. */
  cycleTook(ms: number): void {
    this.cycleMs = ms;
  }

  /** Sets the row for the sample under way. */
  fill(counts: AgentCounts, outputs: OutputTotals): void {
    const { row, cpu: before } = this;
    const { values } = row;
    row.clear();
    const cpu = process.cpuUsage();
    if (before !== undefined)
      values[id.cpu_ms] = (cpu.user + cpu.system - before.user - before.system) / 1000;
    this.cpu = cpu;
    values[id.cycle_ms] = this.cycleMs;
    values[id.ram_rss] = process.memoryUsage.rss();
    values[id.missed_ticks] = counts.missedTicks;
    values[id.collector_errors] = counts.collectorErrors;
    values[id.qmp_failures] = counts.pollFailures;
    values[id.queued] = outputs.queued;
    values[id.queued_bytes] = outputs.queuedBytes;
    values[id.sent] = outputs.sent;
    values[id.dropped] = outputs.dropped;
    values[id.reconnects] = outputs.reconnects;
  }
}
