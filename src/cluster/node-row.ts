import { slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';
import { duration } from '../verdicts/wording.ts';
import type { Arrival, NodeName, NodeSource, NodeState } from './node-source.ts';

const id = slots('agent', 'agent_node');
const verdictId = slots('agent', 'agent_verdict');
const host = slots('host', 'host');
const cpu = slots('cpu', 'host');
const mem = slots('mem', 'host');

/** ms, and intervals, after which the last sample of a node is outdated. */
const STALE = 3000;
const INTERVALS = 3;
/** Seconds by which clocks may differ before it is reported: samples are a second apart. */
const CLOCKS_DIFFER = 1;

/** The facts about a node, without its samples. */
export interface NodeNews {
  readonly name: NodeName;
  readonly state: NodeState;
  readonly arrival: Arrival | undefined;
}

/** The current state of the node of a source. */
export function newsOf(source: NodeSource): NodeNews {
  return { name: source.name, state: source.state(), arrival: source.latest() };
}

/** The sample of a node as long as it tells of now. @param now monotonic ms */
export function freshSample({ arrival }: NodeNews, now: number): Sample | undefined {
  if (arrival === undefined) return undefined;
  const { sample, at } = arrival;
  const interval = Number.isNaN(sample.interval) ? 1 : sample.interval;
  return now - at <= Math.max(STALE, INTERVALS * 1000 * interval) ? sample : undefined;
}

/** Sets the row of a node. @param now monotonic ms */
export function fillNodeRow(row: Row, news: NodeNews, now: number): void {
  const { name, state, arrival } = news;
  row.clear();
  const { values, texts } = row;
  texts[id.name] = name;
  texts[id.state] =
    state.kind === 'trouble' ? state.trouble.kind : state.kind === 'streaming' ? 'up' : state.kind;
  if (arrival !== undefined) {
    texts[id.hostname] = arrival.sample.host.row.texts[host.host_name];
    values[id.age] = (Math.max(0, now - arrival.at) + arrival.lateness) / 1000;
    values[id.clock_offset] = arrival.clockOffset / 1000;
  }
  const sample = freshSample(news, now);
  if (sample !== undefined) fillMeasured(row, sample);
  texts[id.verdict] = troubleOf(news, sample, now) ?? (sample && gravest(sample));
}

function fillMeasured({ values }: Row, { host: { row }, guests }: Sample): void {
  const at = (slot: number): number => row.values[slot] ?? NaN;
  values[id.guests] = guests.length;
  values[id.cpu_busy] = 100 - at(cpu.cpu_idle) - (at(cpu.cpu_iowait) || 0) - (at(cpu.cpu_steal) || 0);
  const left = at(mem.ram_obtainable) || at(mem.ram_available) || NaN;
  values[id.ram_percent] = 100 - (left / at(mem.ram_total)) * 100;
}

/** What keeps a node from being seen, or its times from being believed. */
function troubleOf(
  { state, arrival }: NodeNews,
  sample: Sample | undefined,
  now: number,
): string | undefined {
  if (state.kind === 'trouble') {
    const { text, since } = state.trouble;
    return `${text}, for ${duration(Math.max(0, now - since) / 1000)}`;
  }
  if (arrival === undefined) return undefined;
  if (sample === undefined) return `no sample for ${duration((now - arrival.at) / 1000)}`;
  const offset = arrival.clockOffset / 1000;
  if (Math.abs(offset) < CLOCKS_DIFFER) return undefined;
  return `its clock is ${duration(Math.abs(offset))} ${offset > 0 ? 'ahead of' : 'behind'} the clock of this host`;
}

/** The first verdict of a sample that holds. */
function gravest({ agent }: Sample): string | undefined {
  return agent.verdicts.find(({ texts }) => texts[verdictId.state] !== 'ended')?.texts[verdictId.text];
}

/** What stands in the row of a node that guests may be missing for, or times wrong, with the name of the node; undefined for nothing. */
export function complaintOf({ texts, values }: Row): string | undefined {
  const { [id.name]: name = '', [id.verdict]: verdict } = texts;
  const isWrong = texts[id.state] !== 'up' || Number.isNaN(values[id.guests]);
  const isOff = Math.abs(values[id.clock_offset] ?? NaN) >= CLOCKS_DIFFER;
  if (texts[id.state] === 'connecting') return `${name}: connecting`;
  return verdict !== undefined && (isWrong || isOff) ? `${name}: ${verdict}` : undefined;
}
