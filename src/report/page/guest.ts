import type { Planes } from '../shared/codes.ts';
import { csvOf } from '../shared/csv.ts';
import { rowsOf } from './csv.ts';
import { beginOf, data, metricOf, planesOf } from './data.ts';
import { element, nameOf, onRedraw, part } from './dom.ts';
import { Plot } from './plot.ts';
import { momentText, quantity } from '../shared/words.ts';

/** The plots of one guest, and the table behind them. */
export class GuestView {
  private readonly plots = data.guestPanels.map((panel) => new Plot(panel));
  private readonly table = element('div', { class: 'wide tall' });
  private readonly details = element(
    'details',
    {},
    element('summary', {}, 'Table of these values'),
    this.table,
  );
  private readonly csv = element('button', { type: 'button' }, 'Save as CSV');
  private guest = 0;
  /** Of each metric of the table. */
  private planes: readonly Planes[] = [];

  constructor() {
    const grid = element('div', { class: 'plots' }, ...this.plots.map(({ figure }) => figure));
    const whole = element('button', { type: 'button' }, 'Whole time');
    part('guest').append(element('p', { class: 'controls' }, whole, ' ', this.csv), grid, this.details);
    whole.addEventListener('click', () => {
      Plot.zoom();
    });
    this.csv.addEventListener('click', () => void this.save());
    this.details.addEventListener('toggle', this.fill);
    // On the way to the printer too, which waits for nothing.
    onRedraw(this.fill);
    document.addEventListener('click', (event) => {
      const link = event.target instanceof Element ? event.target.closest('a[data-guest]') : null;
      if (link === null) return;
      event.preventDefault();
      void this.show(Number(link.getAttribute('data-guest')), true);
    });
  }

  /** @param moves whether the page goes to it */
  async show(guest: number, moves: boolean): Promise<void> {
    this.guest = guest;
    const label = data.guests[guest] ?? '';
    const heading = part('h-guest');
    heading.replaceChildren('Guest ', nameOf(label));
    part('guest').hidden = false;
    await Promise.all(this.plots.map((plot) => plot.show(guest, label)));
    this.planes = await this.planesOfAll();
    this.table.replaceChildren();
    this.fill();
    if (!moves) return;
    part('guest').scrollIntoView();
    heading.focus({ preventScroll: true });
  }

  private get keys(): readonly string[] {
    return data.guestPanels.flatMap(({ metrics }) => metrics);
  }

  private planesOfAll(): Promise<readonly Planes[]> {
    return Promise.all(this.keys.map(planesOf));
  }

  private readonly fill = (): void => {
    const { details, table, planes } = this;
    if (!details.open || table.childElementCount > 0 || planes.length === 0) return;
    const metrics = this.keys.map(metricOf);
    const head = element('tr', {}, element('th', {}, `Time (${data.zone.name})`));
    for (const { title } of metrics) head.append(element('th', { class: 'n' }, title));
    const body = element('tbody');
    for (let bucket = 0; bucket < data.buckets; bucket++) {
      const at = this.guest * data.buckets + bucket;
      const row = element('tr', {}, element('th', { scope: 'row' }, momentText(data.zone, beginOf(bucket))));
      for (const [index, { unit }] of metrics.entries()) {
        const mean = planes[index]?.mean[at] as number;
        const max = planes[index]?.max[at] as number;
        const more = max > mean ? ` (max ${quantity(max, unit)})` : '';
        row.append(element('td', { class: 'n' }, `${quantity(mean, unit)}${more}`));
      }
      body.append(row);
    }
    table.replaceChildren(element('table', {}, element('thead', {}, head), body));
  };

  private async save(): Promise<void> {
    const planes = await this.planesOfAll();
    const text = csvOf(rowsOf(this.guest, this.keys.map(metricOf), planes));
    const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    const label = (data.guests[this.guest] ?? '').replace(/[^\w.-]+/g, '_');
    const link = element('a', {
      href: url,
      download: `${data.title.replace(/[^\w.-]+/g, '_')}-${label}.csv`,
    });
    link.click();
    setTimeout(() => {
      URL.revokeObjectURL(url);
    }, 10_000);
  }
}
