import { ticksOf } from '../shared/ticks.ts';
import { momentText, quantity, timeText } from '../shared/words.ts';
import { beginOf, data, metricOf, planesOf } from './data.ts';
import { colour, element, isPrinting, nameOf, onRedraw, part } from './dom.ts';
import { shadeOf, topOf } from './shades.ts';
import type { ReportMetric } from '../shared/model.ts';
import type { Planes } from '../shared/codes.ts';

const LABELS = 190;
const AXIS = 22;
const PAPER_WIDTH = 680;
/** What is offered first, as far as it is there. */
const first = ['vm.cpu_steal', 'vm.disk_lat_avg', 'vm.cpu_total'];

/** The largest value of each guest in each bucket, as colours; a guest is chosen by a click or Enter. */
export class HeatMap {
  private readonly canvas = element('canvas', {
    tabindex: '0',
    role: 'application',
    'aria-roledescription': 'heat map',
  });
  private readonly select = element('select', { id: 'heat-metric' });
  private readonly live = element('p', { class: 'live shown', 'aria-live': 'polite' });
  private readonly legend = element('div', { class: 'legend' });
  private planes: Planes | undefined;
  private metric: ReportMetric;
  private at = { guest: 0, bucket: 0 };
  private shown = false;

  constructor(private readonly open: (guest: number) => void) {
    const keys = data.metrics.map(({ key }) => key).filter((key) => key.startsWith('vm.'));
    keys.sort((a, b) => ((first.indexOf(a) + 99) % 99) - ((first.indexOf(b) + 99) % 99));
    this.metric = metricOf(keys[0] as string);
    for (const key of keys) this.select.append(element('option', { value: key }, metricOf(key).title));
    this.select.addEventListener('change', () => void this.show(this.select.value));
    const label = element('label', { for: 'heat-metric' }, 'Largest value of ');
    const scroll = element('div', { class: 'heat' }, this.canvas);
    part('heat').append(
      element('p', { class: 'controls' }, label, this.select),
      this.legend,
      scroll,
      this.live,
    );
    part('heat').hidden = false;
    this.listen();
    onRedraw(() => {
      this.draw();
    });
  }

  async show(key = this.metric.key): Promise<void> {
    this.planes = await planesOf(key);
    this.metric = metricOf(key);
    this.draw();
  }

  private get rowHeight(): number {
    const { length } = data.guests;
    if (isPrinting()) return Math.max(3, Math.min(16, Math.floor(700 / length)));
    return length > 60 ? 12 : 18;
  }

  private get width(): number {
    return isPrinting() ? PAPER_WIDTH : Math.max(320, part('heat').clientWidth - 20);
  }

  private draw(): void {
    const { canvas, planes, metric, rowHeight, width } = this;
    if (planes === undefined) return;
    const height = data.guests.length * rowHeight + AXIS;
    const ratio = Math.min(3, devicePixelRatio || 1);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.setAttribute(
      'aria-label',
      `${metric.title} of ${data.guests.length} guests by time. Arrow keys read the values, Enter shows the guest.`,
    );
    const context = canvas.getContext('2d');
    if (context === null) return;
    context.scale(ratio, ratio);
    this.drawCells(context, planes);
    this.drawLabels(context, height);
    if (this.shown) this.drawCursor(context);
    this.drawLegend(planes);
  }

  private drawCells(context: CanvasRenderingContext2D, { max }: Planes): void {
    const { guests, buckets } = data;
    const image = new ImageData(buckets, guests.length);
    const top = topOf(max, this.metric);
    const dark = colour('scheme') === 'dark';
    for (let index = 0; index < max.length; index++) {
      const value = max[index] as number;
      if (Number.isNaN(value)) continue;
      const [red, green, blue] = shadeOf(value / top, dark);
      image.data.set([red, green, blue, 255], index * 4);
    }
    const small = new OffscreenCanvas(buckets, guests.length);
    small.getContext('2d')?.putImageData(image, 0, 0);
    context.fillStyle = hatch(context);
    const [width, height] = [this.width - LABELS, guests.length * this.rowHeight];
    context.fillRect(LABELS, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, LABELS, 0, width, height);
  }

  private drawLabels(context: CanvasRenderingContext2D, height: number): void {
    const { rowHeight, width } = this;
    context.fillStyle = colour('text');
    context.strokeStyle = colour('back');
    context.font = `${Math.min(13, rowHeight - 1)}px system-ui, sans-serif`;
    context.textBaseline = 'middle';
    context.direction = 'ltr';
    for (const [guest, label] of data.guests.entries()) {
      const y = guest * rowHeight;
      if (rowHeight >= 8) context.fillText(fitted(context, `\u2068${label}\u2069`), 4, y + rowHeight / 2);
      if (rowHeight < 8) continue;
      context.beginPath();
      context.moveTo(LABELS, y + 0.5);
      context.lineTo(width, y + 0.5);
      context.stroke();
    }
    context.font = '12px system-ui, sans-serif';
    context.textAlign = 'center';
    const end = beginOf(data.buckets);
    const { length } = data.guests;
    for (const tick of ticksOf(data.zone, data.begin, end, width / 110)) {
      const x = LABELS + ((tick - data.begin) / (end - data.begin)) * (width - LABELS);
      context.fillRect(x, length * rowHeight, 1, 4);
      if (x < width - 16) context.fillText(timeText(data.zone, tick), x, height - 8);
    }
    context.textAlign = 'left';
  }

  private drawCursor(context: CanvasRenderingContext2D): void {
    const { rowHeight, width, at } = this;
    const cell = (width - LABELS) / data.buckets;
    context.strokeStyle = colour('text');
    context.lineWidth = 2;
    context.strokeRect(LABELS + at.bucket * cell - 1, at.guest * rowHeight, Math.max(4, cell + 2), rowHeight);
  }

  private drawLegend({ max }: Planes): void {
    const { unit, warn, bad } = this.metric;
    const top = topOf(max, this.metric);
    const canvas = element('canvas', { width: '160', height: '12', 'aria-hidden': 'true' });
    const context = canvas.getContext('2d');
    for (let x = 0; context !== null && x < 160; x++) {
      context.fillStyle = `rgb(${shadeOf(x / 160, colour('scheme') === 'dark').join(' ')})`;
      context.fillRect(x, 0, 1, 12);
    }
    const levels = [warn, bad].filter((level) => level !== undefined);
    const told =
      levels.length === 0 ? '' : `; levels ${levels.map((level) => quantity(level, unit)).join(' and ')}`;
    this.legend.replaceChildren(`0 `, canvas, ` ${quantity(top, unit)} or more${told}; hatched: no data`);
  }

  private listen(): void {
    const { canvas } = this;
    canvas.addEventListener('mousemove', (event) => {
      this.move(this.cellAt(event));
    });
    canvas.addEventListener('click', (event) => {
      const cell = this.cellAt(event);
      if (cell.guest < data.guests.length) this.open(cell.guest);
    });
    canvas.addEventListener('keydown', (event) => {
      const moves: Readonly<Record<string, readonly [number, number]>> = {
        ArrowUp: [-1, 0],
        ArrowDown: [1, 0],
        ArrowLeft: [0, -1],
        ArrowRight: [0, 1],
        PageUp: [-10, 0],
        PageDown: [10, 0],
        Home: [0, -Infinity],
        End: [0, Infinity],
      };
      const move = moves[event.key];
      if (event.key === 'Enter') this.open(this.at.guest);
      if (move === undefined) return;
      event.preventDefault();
      this.move({ guest: this.at.guest + move[0], bucket: this.at.bucket + move[1] });
    });
  }

  private cellAt({ offsetX, offsetY }: MouseEvent): { guest: number; bucket: number } {
    return {
      guest: Math.floor(offsetY / this.rowHeight),
      bucket: Math.floor(((offsetX - LABELS) / (this.width - LABELS)) * data.buckets),
    };
  }

  /** Goes to a cell, and says what is there. */
  private move({ guest, bucket }: { readonly guest: number; readonly bucket: number }): void {
    const within = (value: number, count: number): number => Math.min(count - 1, Math.max(0, value));
    this.at = { guest: within(guest, data.guests.length), bucket: within(bucket, data.buckets) };
    this.shown = true;
    this.draw();
    const at = this.at.guest * data.buckets + this.at.bucket;
    const { unit, title } = this.metric;
    const { max = [], mean = [] } = this.planes ?? {};
    const value = Number.isNaN(max[at])
      ? 'no data'
      : `${title} at most ${quantity(max[at] as number, unit)}, mean ${quantity(mean[at] as number, unit)}`;
    const name = data.guests[this.at.guest] ?? '';
    this.live.replaceChildren(nameOf(name), `, ${momentText(data.zone, beginOf(this.at.bucket))}: ${value}`);
  }
}

/** A name cut to the room that there is. */
function fitted(context: CanvasRenderingContext2D, text: string): string {
  if (context.measureText(text).width <= LABELS - 10) return text;
  let length = text.length - 1;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…\u2069`).width > LABELS - 10) length--;
  return `${text.slice(0, length)}…\u2069`;
}

/** What stands where nothing is known. */
function hatch(context: CanvasRenderingContext2D): CanvasPattern | string {
  const tile = new OffscreenCanvas(6, 6);
  const drawn = tile.getContext('2d');
  if (drawn === null) return 'transparent';
  drawn.strokeStyle = colour('grid');
  drawn.beginPath();
  for (const from of [-6, 0, 6]) {
    drawn.moveTo(from, 6);
    drawn.lineTo(from + 6, 0);
  }
  drawn.stroke();
  return context.createPattern(tile, 'repeat') ?? 'transparent';
}
