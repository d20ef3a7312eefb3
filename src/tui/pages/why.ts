import type { Thresholds } from '../../config/thresholds.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import { line } from '../screen/spans.ts';
import type { Line, Size } from '../screen/spans.ts';
import { why } from '../analysis/why.ts';
import type { Explained } from '../analysis/why.ts';
import type { Page } from './page.ts';

/** What the value of a metric means, and why it may be as it is. */
export class WhyPage implements Page {
  readonly title: string;
  readonly keys = '';

  /** @param value the one that is explained, as it is now; undefined when it is there no more */
  constructor(
    private readonly metric: Metric,
    private readonly value: () => Explained | undefined,
    private readonly thresholds: Thresholds,
  ) {
    this.title = `why ${metric.title}`;
  }

  lines({ columns }: Size): readonly Line[] {
    const [title = '', ...text] = why(this.metric, this.value(), this.thresholds, columns);
    return [line(title, 'heading'), ...text.map((each) => line(each))];
  }
}
