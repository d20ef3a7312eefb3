import { now } from '../collectors/readings.ts';
import { SlowBeat } from '../collectors/slow-beat.ts';
import { isShortage } from '../kernel/base/open-files.ts';
import { countedColumns, slots } from '../catalogue/catalogue.ts';
import { Row } from '../catalogue/row.ts';
import { dropReasons } from './output-status.ts';
import type { ObservedOutput } from './output-status.ts';
import type { AgentRows } from './sample.ts';

const id = slots('agent', 'agent');
const outputId = slots('agent', 'agent_output');
/** Counts since the start: they are cumulative themselves. */
const outputCounts = countedColumns('agent_output').map(({ slot }) => slot);
const droppedBySlots = dropReasons.map((reason) => [reason, outputId[`dropped_${reason}`]] as const);
const sumSlots = [id.queued, id.queued_bytes, id.sent, id.dropped, id.reconnects];
const ownCounts = [id.missed_ticks, id.collector_errors, id.qmp_failures];

/** Counts since the start that other parts keep. */
interface AgentCounts {
  readonly missedTicks: number;
  readonly collectorErrors: number;
  readonly pollFailures: number;
}

/** Cost and health of proxtop itself. */
export class Agent implements AgentRows {
  readonly row = new Row('agent');
  /** A row for each output. */
  readonly outputs: Row[] = [];
  /** Empty: verdicts are found when the sample is complete. */
  readonly verdicts: readonly Row[] = [];
  /** Empty: filled where several hosts are watched. */
  readonly nodes: readonly Row[] = [];
  private cycleMs = NaN;
  private rss = NaN;
  /** Node opens a file of /proc for it each time: 60 us after a second of sleep. */
  private readonly rssBeat = new SlowBeat(5);
  private cpu: NodeJS.CpuUsage | undefined;

  /** Notes how long a cycle took, ms. */
  cycleTook(ms: number): void {
    this.cycleMs = ms;
  }

  /** Sets the row for the sample under way. */
  fill(counts: AgentCounts, outputs: readonly ObservedOutput[]): void {
    const { row, cpu: before } = this;
    const { values, counters } = row;
    row.clear();
    const cpu = process.cpuUsage();
    counters[id.cpu_ms] = cpu.user + cpu.system;
    if (before !== undefined)
      values[id.cpu_ms] = (cpu.user + cpu.system - before.user - before.system) / 1000;
    this.cpu = cpu;
    values[id.cycle_ms] = this.cycleMs;
    if (this.rssBeat.due(now())) this.rss = residentMemory();
    values[id.ram_rss] = this.rss;
    values[id.missed_ticks] = counts.missedTicks;
    values[id.collector_errors] = counts.collectorErrors;
    values[id.qmp_failures] = counts.pollFailures;
    for (const slot of ownCounts) counters[slot] = values[slot] as number;
    this.fillOutputs(values, outputs);
  }

  /** Sets the rows of the outputs, and their sums in the agent's own. */
  private fillOutputs(sums: Float64Array, outputs: readonly ObservedOutput[]): void {
    const time = Date.now();
    for (const slot of sumSlots) sums[slot] = 0;
    const add = (slot: number, value: number): void => {
      sums[slot] = (sums[slot] ?? 0) + value;
    };
    this.outputs.length = outputs.length;
    for (const [index, { name, status }] of outputs.entries()) {
      const row = (this.outputs[index] ??= new Row('agent_output'));
      row.clear();
      const { values, texts, counters } = row;
      texts[outputId.name] = name;
      texts[outputId.state] = status.state;
      texts[outputId.last_error] = status.lastError;
      values[outputId.queued] = status.queued;
      values[outputId.queued_bytes] = status.queuedBytes;
      values[outputId.spooled] = status.spooled;
      values[outputId.spooled_bytes] = status.spooledBytes;
      if (status.oldest !== undefined) values[outputId.oldest_age] = Math.max(0, time - status.oldest) / 1000;
      values[outputId.unconfirmed] = status.unconfirmed;
      values[outputId.sent] = status.sent;
      values[outputId.resent] = status.resent;
      values[outputId.reconnects] = status.reconnects;
      values[outputId.dropped] = status.dropped;
      for (const [reason, slot] of droppedBySlots) values[slot] = status.droppedBy[reason];
      for (const slot of outputCounts) counters[slot] = values[slot] as number;
      add(id.queued, status.queued + status.spooled);
      add(id.queued_bytes, status.queuedBytes);
      add(id.sent, status.sent);
      add(id.dropped, status.dropped);
      add(id.reconnects, status.reconnects);
    }
  }
}

/** Bytes; NaN where it cannot be told, as when no descriptor is left to read it. */
function residentMemory(): number {
  try {
    return process.memoryUsage.rss();
  } catch (error) {
    if (isShortage(error)) return NaN;
    throw error;
  }
}
