import type { Thresholds } from '../config/thresholds.ts';
import type { Metric } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import { obey, staysOnPage } from './commands.ts';
import type { Commands } from './commands.ts';
import { unitModes } from './values/format.ts';
import { helpLine } from './help-line.ts';
import type { Explained } from './analysis/why.ts';
import type { Judge } from './analysis/judge.ts';
import type { Moment } from './moments/moment.ts';
import { PageFrame } from './pages/page-frame.ts';
import { BlamePage } from './pages/blame.ts';
import { helpPage } from './pages/help.ts';
import type { Page } from './pages/page.ts';
import { VmPage } from './pages/vm.ts';
import { WhyPage } from './pages/why.ts';
import { Prompt } from './prompt.ts';
import type { PromptQuestion } from './prompt.ts';
import { Cells } from './screen/cells.ts';
import type { Key } from './screen/keys.ts';
import { switches } from './screen/palette.ts';
import { line } from './screen/spans.ts';
import type { Line, Size } from './screen/spans.ts';
import { Terminal } from './screen/terminal.ts';
import type { Capabilities, TerminalUser } from './screen/terminal.ts';
import { loadPreferences, savePreferences } from './preferences-file.ts';
import type { Source } from './sources/source.ts';
import { statusLine } from './status-line.ts';
import { TableControl } from './table/table-control.ts';
import { judge } from './analysis/grade.ts';
import { textOrBlank } from './values/row-values.ts';
import { guestOf, ownKey, sampleOf } from './whose-row.ts';

/** Seconds between two samples, as for --frequency. */
const SHORTEST = 0.1;
const LONGEST = 86_400;
/** ms that a message stays. */
const MESSAGE_TIME = 6000;

/** The terminal view: shows moments as they come, and obeys keys. */
export class TerminalView implements Commands, TerminalUser {
  readonly table: TableControl;
  readonly source: Source;
  private readonly thresholds: Thresholds;
  private readonly judge: Judge;
  private readonly unicode: boolean;
  private readonly preferencesPath: string;
  private readonly cells: Cells;
  private readonly terminal: Terminal;
  private moment: Moment | undefined;
  /** Whether the moment was not drawn yet. */
  private unseen = false;
  /** The pages that are open, each over the one that it was opened from. */
  private pages: readonly PageFrame[] = [];
  private lastKey = '';
  private prompt: Prompt | undefined;
  private message: { readonly text: string; readonly timer: NodeJS.Timeout } | undefined;
  private drawing: NodeJS.Immediate | undefined;

  /**
   * @param preferencesPath where key W keeps what the user chose
   */
  constructor(
    source: Source,
    thresholds: Thresholds,
    { depth, unicode }: Capabilities,
    preferencesPath: string,
  ) {
    this.source = source;
    this.thresholds = thresholds;
    this.judge = (id, value, row) => judge(thresholds, id, value, row);
    this.unicode = unicode;
    this.preferencesPath = preferencesPath;
    const { preferences, trouble } = loadPreferences(preferencesPath);
    this.table = new TableControl(preferences, this.judge, unicode);
    this.cells = new Cells(switches(depth), unicode);
    this.terminal = new Terminal(this.cells, this);
    if (trouble !== undefined) this.tell(trouble);
  }

  /** Takes the terminal. */
  open(): void {
    this.terminal.open();
  }

  /** Gives the terminal back. @returns resolved when it is back */
  close(): Promise<void> {
    clearImmediate(this.drawing);
    clearTimeout(this.message?.timer);
    return this.terminal.close();
  }

  show(moment: Moment): void {
    this.moment = moment;
    this.unseen = true;
    this.redraw();
  }

  /** Obeys the keys that were pressed while something keeps the event loop waiting, and draws what they did. */
  attend(): void {
    this.terminal.takeKeys();
    if (this.drawing !== undefined) this.drawNow();
  }

  /** Shows a message in the last line for a while. */
  tell(text: string): void {
    clearTimeout(this.message?.timer);
    const timer = setTimeout(() => {
      this.message = undefined;
      this.redraw();
    }, MESSAGE_TIME);
    this.message = { text, timer };
    this.redraw();
  }

  /** Asks in the last line. */
  ask(question: PromptQuestion): void {
    this.prompt = new Prompt(question);
  }

  /** Draws, once for all that happens before the event loop turns. */
  redraw(): void {
    this.drawing ??= setImmediate(() => {
      this.drawNow();
    });
  }

  gone(): void {
    this.source.quit();
  }

  press(key: Key): void {
    // A key acts on the screen as the previous key left it.
    if (this.drawing !== undefined) this.drawNow();
    if (key.name === 'ctrl-c') this.quit();
    else if (key.name === 'ctrl-z') this.suspend();
    else if (this.prompt !== undefined) this.answer(this.prompt, key);
    else if (this.page !== undefined) this.pressOnPage(this.page, key);
    else if (this.isEsxtopDelay(key.name)) this.askInterval(key.name);
    else if (key.at !== undefined && key.name === 'click') this.table.click(key.at.x, key.at.y - 1);
    else this.obey(key);
    this.lastKey = key.name;
    this.redraw();
  }

  private get page(): PageFrame | undefined {
    return this.pages.at(-1);
  }

  /** Closes a page before a key that is about the table, so that every key works on every page. */
  private pressOnPage(page: PageFrame, key: Key): void {
    const use = page.press(key);
    if (use === 'close') this.pages = this.pages.slice(0, -1);
    if (use !== 'unused' || key.at !== undefined) return;
    const before = this.pages;
    if (!staysOnPage(this, key.name)) this.pages = [];
    if (!this.obey(key)) this.pages = before;
  }

  private obey({ name }: Key): boolean {
    const known = obey(this, name);
    if (!known) this.tell(`${name}: no such key; h shows all`);
    return known;
  }

  /** Whether somebody types the delay of esxtop: s and a number. s alone shows the storage. */
  private isEsxtopDelay(key: string): boolean {
    return this.lastKey === 's' && /^\d$/.test(key) && this.source.setInterval !== undefined;
  }

  /** Asks for the interval, in the view that was shown before s. */
  private askInterval(text: string): void {
    this.table.showBefore();
    const answered = (answer: string): string => {
      const seconds = Number(answer);
      if (!(seconds >= SHORTEST && seconds <= LONGEST))
        return `${answer}: an interval has from ${SHORTEST} to ${LONGEST} seconds`;
      this.source.setInterval?.(seconds);
      return `interval ${seconds} s`;
    };
    this.ask({ label: 'interval, seconds', text, allowed: /[\d.]/, answered });
  }

  help(): void {
    this.openPage(helpPage(this.table.view, this.source));
  }

  quit(): void {
    this.source.quit();
  }

  suspend(): void {
    this.terminal.suspend();
  }

  nextUnits(): void {
    const { preferences } = this.table;
    preferences.units = unitModes[(unitModes.indexOf(preferences.units) + 1) % unitModes.length] ?? 'auto';
    const chosen = preferences.units === 'auto' ? 'with a suffix' : `in ${preferences.units}`;
    this.tell(`sizes ${chosen} (the disk devices of esxtop: s)`);
  }

  chooseFields(): void {
    this.openPage(this.table.fieldsPage());
  }

  why(): void {
    const cell = this.table.cell();
    if (cell === undefined) {
      this.tell('there is no value here; arrows move to one');
      return;
    }
    const { metric, key, column } = cell;
    this.explain(metric, () => this.moment && this.table.rowOf(this.moment.sample, key, column));
  }

  /** Opens the page that explains a value. @param row the one that it is in, of the moment that is shown */
  private explain(metric: Metric, row: () => Row | undefined): void {
    const value = (): Explained | undefined => {
      const sample = this.moment?.sample;
      const of = row();
      return sample && of && { row: of, guest: guestOf(sample, of), sample: sampleOf(sample, of) };
    };
    this.openPage(new WhyPage(metric, value, this.thresholds));
  }

  blame(): void {
    this.openPage(new BlamePage(() => this.moment));
  }

  repaint(): void {
    this.cells.reset(this.terminal.size);
  }

  filter(): void {
    const { table } = this;
    const before = table.filter;
    const typed = (text: string): void => {
      table.filter = text;
      table.cursor.home();
    };
    const givenUp = (): void => {
      table.filter = before;
    };
    this.ask({ label: 'show only', text: before, typed, givenUp, answered: () => undefined });
  }

  expand(): void {
    if (this.table.view.scope === 'vm') this.table.expand();
    else this.tell('VMs expand in the views a, c, m and i');
  }

  openVm(): void {
    if (this.table.openNode()) return;
    const { vm } = this.table;
    if (vm === undefined) {
      this.tell('there is no VM on this row');
      return;
    }
    const { key } = vm.guest;
    const name = `${textOrBlank(vm.row, 'vmid')} ${textOrBlank(vm.row, 'name')}`.trim();
    this.openPage(
      new VmPage(name, key, {
        moment: () => this.moment,
        explain: (metric, row) => {
          this.explain(metric, row);
        },
        units: () => this.table.preferences.units,
        judge: this.judge,
        unicode: this.unicode,
      }),
    );
  }

  askNameWidth(): void {
    const { preferences } = this.table;
    this.askNumber('width of names, 0 for what fits', preferences.nameWidth, (width) => {
      preferences.nameWidth = width;
    });
  }

  askRows(): void {
    const { preferences } = this.table;
    this.askNumber('rows, 0 for as many as fit', preferences.rows, (rows) => {
      preferences.rows = rows;
    });
  }

  save(): void {
    try {
      savePreferences(this.preferencesPath, this.table.preferences);
      this.tell(`saved to ${this.preferencesPath}`);
    } catch (error) {
      this.tell(`not saved: ${(error as Error).message}`);
    }
  }

  private openPage(page: Page): void {
    this.pages = [...this.pages, new PageFrame(page)];
  }

  private askNumber(label: string, value: number, take: (value: number) => void): void {
    const answered = (text: string): undefined => {
      take(Math.min(1000, Number(text)));
    };
    this.ask({ label, text: value === 0 ? '' : String(value), allowed: /\d/, answered });
  }

  private answer(prompt: Prompt, key: Key): void {
    const { done, message } = prompt.press(key);
    if (done) this.prompt = undefined;
    if (message !== undefined) this.tell(message);
  }

  private drawNow(): void {
    clearImmediate(this.drawing);
    this.drawing = undefined;
    this.draw();
  }

  private draw(): void {
    const { columns, rows } = this.cells.size;
    const body = this.body({ columns, rows: Math.max(0, rows - 2) });
    // The status line tells what the table just found.
    const lines = [this.statusLine(columns), ...body];
    for (let row = 0; row < rows - 1; row++) this.cells.set(row, lines[row] ?? []);
    this.cells.set(rows - 1, this.lastLine(columns));
    this.terminal.show();
    if (this.unseen) this.watch();
  }

  /** Tells the source which VMs matter now. */
  private watch(): void {
    this.unseen = false;
    if (this.moment === undefined || this.source.watch === undefined) return;
    const { sample, verdicts } = this.moment;
    const { visible, expanded } = this.table;
    const suffering = verdicts.flatMap(({ victims }) => victims.map(({ guest }) => guest));
    const open = expanded.size === 0 ? [] : sample.guests.filter(({ guest }) => expanded.has(guest.key));
    this.source.watch(new Set([...visible, ...suffering].map(ownKey)), new Set(open.map(ownKey)));
  }

  private body(size: Size): readonly Line[] {
    if (this.page !== undefined) return this.page.lines(size);
    if (this.moment === undefined) return [line('Waiting for the first sample ...', 'dim')];
    return this.table.lines(this.moment.sample, size, this.moment);
  }

  private statusLine(columns: number): Line {
    if (this.moment === undefined) return line('proxtop', 'title');
    const { filter, sortHeading, descending, preferences, view } = this.table;
    const status = {
      interval: this.source.interval,
      view: this.page?.title ?? view.name,
      guests: preferences.guests,
      filter: filter === '' ? undefined : { text: filter, left: this.table.vmsLeft },
      sort: sortHeading,
      descending,
      units: preferences.units,
      unicode: this.unicode,
      node: this.table.node?.name,
      note: this.source.note,
    };
    return statusLine(this.moment.sample, status, columns);
  }

  private lastLine(columns: number): Line {
    if (this.prompt !== undefined) return this.prompt.line(this.unicode);
    if (this.message !== undefined) return line(this.message.text, 'warn');
    return this.page?.keys ?? helpLine(columns);
  }
}
