import { slots } from '../catalogue/catalogue.ts';
import { Row } from '../catalogue/row.ts';
import type { Playable } from '../recording/player.ts';
import type { Recording } from '../recording/recording.ts';
import type { Sample } from '../sampling/sample.ts';
import type { ClusterNode, ClusterSample } from './cluster-sample.ts';
import type { NodeName } from './node-source.ts';
import { fillNodeRow } from './node-row.ts';

const id = slots('agent', 'agent_node');
const { host_name } = slots('host', 'host');

/** The part of a recording that is one moment: samples of different hosts, one after the other. */
interface Frame {
  /** Number of its first sample in the recording. */
  readonly first: number;
  readonly hosts: Set<string>;
}

/**
 * A recording of several hosts, as moments of all of them: a moment ends when a host reports again. The watching host
 * reports first at each tick, so the moments are those that were seen live.
 */
export class ClusterRecording implements Playable<ClusterSample> {
  private frames: Frame[] = [];
  /** Samples of the recording that are in a frame. */
  private placed = 0;
  private readonly hosts = new Map<string, string>();
  private readonly rows = new Map<string, Row>();

  private constructor(private readonly recording: Recording) {}

  /** @returns undefined for a recording of one host */
  static async of(recording: Recording): Promise<ClusterRecording | undefined> {
    const cluster = new ClusterRecording(recording);
    const first = await recording.at(0);
    if (first === undefined || hostOf(first) === undefined) return undefined;
    if (first.agent.nodes.length > 0) return cluster;
    // The recording may begin in the midst of a moment.
    await cluster.has(1);
    return cluster.frames.some(({ hosts }) => hosts.size > 1) ? cluster : undefined;
  }

  get length(): number {
    return this.frames.length;
  }

  timeAt(index: number): number {
    return this.recording.timeAt(this.frames[index]?.first ?? NaN);
  }

  async has(index: number): Promise<boolean> {
    // One is complete when the next one has begun.
    while (this.frames.length <= index + 1 && (await this.place()));
    return index < this.frames.length;
  }

  async at(index: number): Promise<ClusterSample | undefined> {
    while (await this.has(index)) {
      const { first = 0 } = this.frames[index] ?? {};
      const end = this.frames[index + 1]?.first ?? this.placed;
      const before = this.recording.length;
      const samples: Sample[] = [];
      for (let at = first; at < end; at++) {
        const sample = await this.recording.at(at);
        if (sample !== undefined) samples.push(sample);
      }
      if (this.recording.length >= before && samples.length > 0) return this.clusterOf(samples);
      // Damaged samples were forgotten just now, and the numbers behind them went down.
      this.frames.length = index;
      this.placed = first;
    }
    return undefined;
  }

  async indexAt(time: number): Promise<number> {
    for (let index = 0; await this.has(index); index++) if (this.timeAt(index) >= time) return index;
    return this.length - 1;
  }

  /** Puts the next sample into a frame. @returns false behind the last one */
  private async place(): Promise<boolean> {
    const { recording, placed } = this;
    if (!(await recording.has(placed))) return false;
    const host = await this.hostAt(placed);
    if (host === undefined) return false;
    const last = this.frames.at(-1);
    if (last === undefined || last.hosts.has(host))
      this.frames.push({ first: placed, hosts: new Set([host]) });
    else last.hosts.add(host);
    this.placed++;
    return true;
  }

  /** The name of the host of a sample, which is read once for each run; undefined behind the last sample. */
  private async hostAt(index: number): Promise<string | undefined> {
    const run = this.recording.runAt(index);
    const known = this.hosts.get(run);
    if (known !== undefined) return known;
    const sample = await this.recording.at(index);
    if (sample === undefined) return undefined;
    const host = hostOf(sample) ?? '';
    this.hosts.set(sample.run, host);
    return host;
  }

  private clusterOf(samples: readonly Sample[]): ClusterSample {
    const [first] = samples as readonly [Sample, ...Sample[]];
    const own = samples.find(({ agent }) => agent.nodes.length > 0) ?? first;
    const nodes = own.agent.nodes.length > 0 ? told(own, samples) : samples.map((each) => this.seen(each));
    return { time: own.time, interval: own.interval, own, nodes };
  }

  /** A node of which nothing but its sample is known. */
  private seen(sample: Sample): ClusterNode {
    const name = hostOf(sample) ?? '';
    const row = this.rows.get(name) ?? new Row('agent_node');
    this.rows.set(name, row);
    const arrival = { sample, at: 0, lateness: 0, clockOffset: 0 };
    fillNodeRow(row, { name: name as NodeName, state: { kind: 'streaming' }, arrival }, 0);
    return { name, row, sample };
  }
}

/** The nodes as the watching host reported them. */
function told(own: Sample, samples: readonly Sample[]): readonly ClusterNode[] {
  return own.agent.nodes.map((row) => {
    const { [id.name]: name = '', [id.hostname]: hostname } = row.texts;
    const sample = hostname === undefined ? undefined : samples.find((each) => hostOf(each) === hostname);
    return { name, row, sample };
  });
}

function hostOf({ host }: Sample): string | undefined {
  return host.row.texts[host_name];
}
