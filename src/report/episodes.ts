import { slots } from '../catalogue/catalogue.ts';
import { hostOf } from '../recording/hosts.ts';
import type { Sample } from '../sampling/sample.ts';

const id = slots('agent', 'agent_verdict');
/** ms, or intervals, for which a verdict may be gone and still is the same trouble. */
const GONE = 60_000;
/** Texts of a trouble that are counted. */
const mostTexts = 50;

/** Once that a trouble held. */
export interface Episode {
  /** ms since 1970. */
  readonly from: number;
  to: number;
}

/** All that was said of one rule and subject. */
export interface Trouble {
  readonly rule: string;
  readonly subject: string;
  /** Of which host, as its samples tell. */
  readonly host: string;
  /** The gravest of its classes, 1 to 6. */
  class: number;
  readonly episodes: readonly Episode[];
  /** Seconds of all episodes. */
  readonly seconds: number;
  /** The sentence that stood longest. */
  readonly text: string;
}

interface Told {
  readonly trouble: Pick<Trouble, 'rule' | 'subject' | 'host'> & { class: number };
  readonly episodes: Episode[];
  readonly texts: Map<string, number>;
}

/** Follows the verdicts of samples. */
export class Episodes {
  private readonly told = new Map<string, Told>();

  /** Takes the verdicts of a sample. */
  add(sample: Sample): void {
    const { agent, time, interval } = sample;
    const host = hostOf(sample);
    for (const { texts, values } of agent.verdicts) {
      if (texts[id.state] === 'ended') continue;
      const { [id.rule]: rule = '', [id.subject]: subject = '', [id.text]: text = '' } = texts;
      const key = `${host}\0${rule}\0${subject}`;
      let told = this.told.get(key);
      if (told === undefined) {
        told = { trouble: { rule, subject, host, class: 5 }, episodes: [], texts: new Map() };
        this.told.set(key, told);
      }
      const { trouble, episodes, texts: sentences } = told;
      trouble.class = Math.min(trouble.class, values[id.class] || 6);
      const seconds = interval > 0 ? interval : 1;
      if (sentences.has(text) || sentences.size < mostTexts)
        sentences.set(text, (sentences.get(text) ?? 0) + seconds);
      const last = episodes.at(-1);
      const gone = Math.max(GONE, 3000 * seconds);
      if (last !== undefined && time >= last.to && time - last.to <= gone) last.to = time;
      else episodes.push({ from: time - 1000 * Math.min(values[id.age] || 0, seconds), to: time });
    }
  }

  /** The gravest first: by class, then by how long it held. */
  get troubles(): readonly Trouble[] {
    const troubles = [...this.told.values()].map(({ trouble, episodes, texts }) => {
      const [text] = [...texts].reduce((best, each) => (each[1] > best[1] ? each : best));
      const seconds = episodes.reduce((sum, { from, to }) => sum + (to - from) / 1000, 0);
      return { ...trouble, episodes, seconds, text };
    });
    return troubles.sort((a, b) => a.class - b.class || b.seconds - a.seconds);
  }
}
