import type { Desk, Source } from './sources/source.ts';
import type { TableControl } from './table/table-control.ts';
import { views } from './table/views.ts';

/** What keys can make a view do. */
export interface Commands extends Desk {
  readonly table: TableControl;
  readonly source: Source;
  help(): void;
  quit(): void;
  suspend(): void;
  nextUnits(): void;
  chooseFields(): void;
  why(): void;
  blame(): void;
  repaint(): void;
  filter(): void;
  expand(): void;
  openVm(): void;
  askNameWidth(): void;
  askRows(): void;
  save(): void;
}

/** Some keys and what they do. */
interface Command {
  readonly keys: readonly string[];
  /** The keys as the help writes them; '' if the help leaves them out. */
  readonly label: string;
  readonly help: string;
  readonly act: (view: Commands, key: string) => void;
  /** Whether a page stays open: it is about no table. */
  readonly staysOnPage?: true;
}

const WHEEL = 3;

/** Every key of the table except those that show a view or sort, which are in views.ts. */
export const commands: readonly Command[] = [
  command(['h', '?', 'f1'], 'h ?', 'show this help', (view) => {
    view.help();
  }),
  command(['q', 'ctrl-c'], 'q', 'quit', (view) => {
    view.quit();
  }),
  command(['<', '>'], '< >', 'sort by the next column to the left or right', ({ table }, key) => {
    table.moveSort(key === '<' ? -1 : 1);
  }),
  command(['r'], 'r', 'reverse the sort order', ({ table }) => {
    table.reverse();
  }),
  command(
    ['O'],
    'O',
    'default order: guests that hang or suffer first, then by the main column',
    ({ table }) => {
      table.defaultOrder();
    },
  ),
  command(['V', '/'], 'V /', 'filter by name, id, UUID or tag, as you type', (view) => {
    view.filter();
  }),
  command(['t'], 't', 'show VMs and containers, VMs only, or containers only', ({ table }) => {
    table.nextGuests();
  }),
  command(['f', 'o'], 'f o', 'choose columns and their order', (view) => {
    view.chooseFields();
  }),
  command(
    ['u'],
    'u',
    'sizes with a suffix, in MiB, or in bytes',
    (view) => {
      view.nextUnits();
    },
    true,
  ),
  command(['e'], 'e', 'expand or fold a VM: vCPUs, other threads, disks, NICs', (view) => {
    view.expand();
  }),
  command(['enter'], 'Enter', 'all metrics of a VM, with plots of the last two minutes', (view) => {
    view.openVm();
  }),
  command(
    ['w'],
    'w',
    'why: meaning, source and causes of the value at the cursor; also on the page of a VM',
    (view) => {
      view.why();
    },
  ),
  command(['b'], 'b', 'blame: victims beside the largest consumers', (view) => {
    view.blame();
  }),
  command(['v'], 'v', 'virtual disks, same as d', ({ table }) => {
    table.showKey('d');
  }),
  command(['L'], 'L', 'width of names', (view) => {
    view.askNameWidth();
  }),
  command(['#'], '#', 'number of rows', (view) => {
    view.askRows();
  }),
  command(
    ['W'],
    'W',
    'save your changes: view, columns, sorting, units and widths',
    (view) => {
      view.save();
    },
    true,
  ),
  command(
    ['up', 'k', '8', 'down', 'j', '2'],
    'arrows j k',
    'move the cursor by rows and columns',
    ({ table }, key) => {
      table.cursor.move(['up', 'k', '8'].includes(key) ? -1 : 1);
    },
  ),
  command(['left', 'right'], '', '', ({ table }, key) => {
    table.moveColumn(key === 'left' ? -1 : 1);
  }),
  command(
    ['pageup', 'pagedown'],
    'PgUp PgDn',
    'move by a page; Home and End go to the first and last row',
    ({ table }, key) => {
      table.cursor.page(key === 'pageup' ? -1 : 1);
    },
  ),
  command(['home', 'end'], '', '', ({ table: { cursor } }, key) => {
    if (key === 'home') cursor.home();
    else cursor.end();
  }),
  command(
    ['wheelup', 'wheeldown'],
    'mouse',
    'the wheel scrolls, a click selects a row or sorts by a heading',
    ({ table }, key) => {
      table.cursor.move(key === 'wheelup' ? -WHEEL : WHEEL);
    },
  ),
  command(['escape'], 'Esc', 'clear the filter, cursor to the first row', ({ table }) => {
    table.reset();
  }),
  command(
    ['ctrl-l'],
    'Ctrl-L',
    'redraw',
    (view) => {
      view.repaint();
    },
    true,
  ),
  command(['ctrl-z'], 'Ctrl-Z', 'suspend; fg resumes', (view) => {
    view.suspend();
  }),
];

const byKey = new Map(commands.flatMap((each) => each.keys.map((key) => [key, each] as const)));

/** Whether a key does what it does beside a page as well: what changes the samples, the units or the screen. */
export function staysOnPage(view: Commands, key: string): boolean {
  return byKey.get(key)?.staysOnPage === true || view.source.commands.some(({ keys }) => keys.includes(key));
}

/** Does what a key stands for in a table. @returns whether it stands for anything */
export function obey(view: Commands, key: string): boolean {
  const ofSource = view.source.commands.find(({ keys }) => keys.includes(key));
  if (ofSource !== undefined) {
    ofSource.act(key, view);
    return true;
  }
  const found = byKey.get(key);
  if (found !== undefined) {
    found.act(view, key);
    return true;
  }
  const other = views.find((each) => each.key === key);
  if (other !== undefined) {
    view.table.show(other);
    return true;
  }
  const sort = view.table.view.sortKeys[key];
  if (sort !== undefined) view.table.sortBy(sort);
  return sort !== undefined;
}

function command(
  keys: readonly string[],
  label: string,
  help: string,
  act: Command['act'],
  staysOnPage?: true,
): Command {
  return { keys, label, help, act, ...(staysOnPage && { staysOnPage }) };
}
