import { slots } from '../catalogue/catalogue.ts';
import { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Verdict } from './verdict.ts';
import { Verdicts } from './verdicts.ts';

const id = slots('agent', 'agent_verdict');

/** Adds to samples what is wrong, as rows of the agent. */
export class VerdictRows {
  private readonly verdicts = new Verdicts();
  /** Kept for the next sample, as other rows are. */
  private readonly rows: Row[] = [];

  /** A sample with its verdicts: those that hold, the gravest first, and once more those that have just ended. */
  judged(sample: Sample): Sample {
    const { verdicts, ended } = this.verdicts.add(sample);
    this.rows.length = Math.min(this.rows.length, verdicts.length + ended.length);
    for (const [index, verdict] of verdicts.entries())
      this.fill(index, verdict, verdict.age === 0 ? 'begins' : 'holds');
    for (const [index, verdict] of ended.entries()) this.fill(verdicts.length + index, verdict, 'ended');
    return { ...sample, agent: { ...sample.agent, verdicts: this.rows } };
  }

  private fill(index: number, verdict: Verdict, state: 'begins' | 'holds' | 'ended'): void {
    const { values, texts } = (this.rows[index] ??= new Row('agent_verdict'));
    texts[id.rule] = verdict.rule;
    texts[id.subject] = verdict.subject;
    texts[id.state] = state;
    texts[id.text] = verdict.text;
    values[id.class] = state === 'ended' ? NaN : verdict.class;
    values[id.age] = state === 'ended' ? NaN : verdict.age;
  }
}
