import uPlot from 'uplot';
import { ticksOf } from '../shared/ticks.ts';
import { clockAt, momentText, quantity } from '../shared/words.ts';
import { beginOf, data, metricOf, planesOf, times } from './data.ts';
import { colour, element, isPrinting, onRedraw } from './dom.ts';
import type { Panel, ReportMetric } from '../shared/model.ts';
import type { Planes } from '../shared/codes.ts';

const HEIGHT = 180;
const PAPER_WIDTH = 680;
/** Steps of an axis of bytes, which is labelled in KiB and so on. */
const binarySteps = Array.from({ length: 50 }, (_, power) => 2 ** power);
const sync = uPlot.sync('time');
const plots = new Set<Plot>();

/** One plot: a line for the mean of each metric within a band from its smallest to its largest value. */
export class Plot {
  readonly figure: HTMLElement;
  private readonly box = element('div', { class: 'plot', tabindex: '0', role: 'application' });
  private readonly live = element('p', { class: 'live', 'aria-live': 'polite' });
  private plot: uPlot | undefined;
  private readonly metrics: readonly ReportMetric[];
  private planes: readonly Planes[] = [];
  private series = 0;

  constructor(private readonly panel: Panel) {
    this.metrics = panel.metrics.map(metricOf);
    this.figure = element('figure', {}, element('figcaption', {}, panel.title), this.box, this.live);
    this.box.addEventListener('keydown', (event) => {
      this.key(event);
    });
    plots.add(this);
    onRedraw(() => {
      this.draw();
    });
  }

  /** Shows one of the series of its metrics. @param whose for those who do not see it */
  async show(series: number, whose: string): Promise<void> {
    this.planes = await Promise.all(this.metrics.map(({ key }) => planesOf(key)));
    this.series = series;
    // One of a guest that has nothing of it says nothing.
    this.figure.hidden = this.planes.every(({ mean }) =>
      mean.subarray(series * data.buckets, (series + 1) * data.buckets).every(Number.isNaN),
    );
    this.box.setAttribute(
      'aria-label',
      `${this.panel.title}, ${whose}. Left and right arrow keys read the values.`,
    );
    this.draw();
  }

  /** Shows a part of the time; all of it where nothing is given. */
  static zoom(min = times[0] as number, max = times.at(-1) as number): void {
    for (const { plot } of plots)
      if (plot !== undefined && (plot.scales['x']?.min !== min || plot.scales['x'].max !== max))
        plot.setScale('x', { min, max });
  }

  private draw(): void {
    if (this.planes.length === 0 || this.figure.hidden) return;
    const before = this.plot?.scales['x'];
    this.plot?.destroy();
    const options = this.options();
    this.plot = new uPlot(options, this.values(), this.box);
    if (before?.min !== undefined && before.max !== undefined && before.min !== before.max)
      this.plot.setScale('x', { min: before.min, max: before.max });
  }

  private slice(plane: Float64Array): (number | null)[] {
    const from = this.series * data.buckets;
    return Array.from(plane.subarray(from, from + data.buckets), (value) =>
      Number.isNaN(value) ? null : value,
    );
  }

  private values(): uPlot.AlignedData {
    const lines = this.planes.flatMap(({ mean, min, max }) =>
      [mean, min, max].map((plane) => this.slice(plane)),
    );
    return [Array.from(times), ...lines];
  }

  private options(): uPlot.Options {
    const grid = { stroke: colour('grid'), width: 1 };
    const axis = { stroke: colour('text'), grid, ticks: grid, font: '12px system-ui, sans-serif' };
    const unit = this.metrics[0]?.unit ?? '';
    const width = isPrinting() ? PAPER_WIDTH : Math.max(280, this.figure.clientWidth);
    const count = this.metrics.length;
    return {
      width,
      height: HEIGHT,
      cursor: { sync: { key: sync.key }, drag: { x: true, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false },
        y: { range: (_, __, max) => [0, this.top(max, unit)] },
      },
      axes: [
        {
          ...axis,
          splits: (_, __, min, max) =>
            ticksOf(data.zone, min * 1000, max * 1000, width / 80).map((time) => time / 1000),
          values: (_, splits) => labelsOf(splits),
        },
        {
          ...axis,
          size: 72,
          ...(unit === 'bytes' && { incrs: binarySteps }),
          values: (_, splits) => splits.map((value) => quantity(value, unit)),
        },
      ],
      series: [
        {
          label: 'Time',
          value: (_, time: number | null) =>
            time === null ? '' : momentText(data.zone, (time - data.seconds) * 1000),
        },
        ...this.metrics.flatMap((metric, index) => this.lines(metric, index)),
      ],
      bands: Array.from({ length: count }, (_, index) => ({
        series: [3 * index + 3, 3 * index + 2] as [number, number],
        fill: `${colour(`line${index}`)}38`,
      })),
      hooks: {
        draw: [
          (plot) => {
            this.drawLevels(plot);
          },
        ],
        setScale: [
          (plot, scale) => {
            const { min, max } = plot.scales[scale] ?? {};
            if (scale === 'x' && min !== undefined && max !== undefined)
              queueMicrotask(() => {
                Plot.zoom(min, max);
              });
          },
        ],
      },
    };
  }

  /** Room for a percentage is that of the values, but never so little that noise fills it. */
  private top(max: number | null, unit: string): number {
    const largest = max ?? 0;
    if (unit === '%') return largest > 50 ? Math.max(100, largest) : Math.max(5, largest * 1.1);
    return largest > 0 ? largest * 1.1 : 1;
  }

  private lines({ title, unit }: ReportMetric, index: number): uPlot.Series[] {
    const stroke = colour(`line${index}`);
    const dash = dashes[index];
    const line: uPlot.Series = {
      label: title,
      stroke,
      width: 1.5,
      ...(dash !== undefined && { dash: [...dash] }),
      points: { show: data.buckets < 60 },
      value: (plot, value: number | null, series, at) => {
        if (value === null || at === null) return '-';
        const max = plot.data[series + 2]?.[at];
        return `${quantity(value, unit)}${max == null || max === value ? '' : ` (max ${quantity(max, unit)})`}`;
      },
    };
    const edge: uPlot.Series = { class: 'edge', width: 0, points: { show: false } };
    return [line, edge, { ...edge, stroke, width: 0.5 }];
  }

  /** The levels of the thresholds, where they lie within the plot. */
  private drawLevels(plot: uPlot): void {
    const { ctx, bbox, scales } = plot;
    const top = scales['y']?.max ?? 0;
    for (const { warn, bad } of this.metrics) {
      for (const [level, name] of [
        [warn, 'warn'],
        [bad, 'bad'],
      ] as const) {
        if (level === undefined || level > top) continue;
        const y = Math.round(plot.valToPos(level, 'y', true));
        ctx.save();
        ctx.strokeStyle = colour(name);
        ctx.lineWidth = 1;
        ctx.setLineDash([6, 4]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.restore();
      }
    }
  }

  private key(event: KeyboardEvent): void {
    const { plot } = this;
    if (plot === undefined) return;
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      PageUp: -10,
      PageDown: 10,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (event.key === 'Escape' || event.key === '0') Plot.zoom();
    if (step === undefined) return;
    event.preventDefault();
    const now = plot.cursor.idx ?? 0;
    const bucket = Math.min(data.buckets - 1, Math.max(0, now + step));
    plot.setCursor({ left: plot.valToPos(times[bucket] as number, 'x'), top: 10 });
    const said = this.metrics.map(({ title, unit }, index) => {
      const at = this.series * data.buckets + bucket;
      const { mean, max } = this.planes[index] as Planes;
      return `${title} ${quantity(mean[at] as number, unit)}, max ${quantity(max[at] as number, unit)}`;
    });
    this.live.textContent = `${momentText(data.zone, beginOf(bucket))}: ${said.join('; ')}`;
  }
}

/** Of lines: colour alone tells nothing to some. */
const dashes = [undefined, [8, 4], [2, 3], [8, 3, 2, 3]] as const;

/** The time of day, and the day with the first one and where a day begins. */
function labelsOf(splits: readonly number[]): string[] {
  let day = '';
  return splits.map((split) => {
    const clock = clockAt(data.zone, split * 1000).toISOString();
    const time = clock.slice(17, 19) === '00' ? clock.slice(11, 16) : clock.slice(11, 19);
    const date = clock.slice(5, 10);
    const isNew = date !== day;
    day = date;
    return isNew ? `${time}\n${clock.slice(0, 10)}` : time;
  });
}
