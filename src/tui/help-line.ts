import type { Line, Span } from './screen/spans.ts';

/** What a newcomer needs first, first. */
const keys = [
  ['h', 'help'],
  ['w', 'why'],
  ['b', 'blame'],
  ['acmdni', 'VMs'],
  ['pslxg1', 'host'],
  ['V', 'filter'],
  ['Enter', 'VM'],
  ['q', 'quit'],
  ['Z', 'pause'],
  ['[]', 'back'],
  ['!', 'last red'],
  ['<>', 'sort'],
  ['O', 'red first'],
  ['f', 'fields'],
  ['e', 'expand'],
  ['r', 'reverse'],
  ['u', 'units'],
  ['+-', 'interval'],
  ['L', 'names'],
  ['#', 'rows'],
  ['W', 'save'],
] as const;

/** The last line of a table: some of its keys, as many as fit. */
export function helpLine(columns: number): Line {
  let used = 0;
  const fitting = keys.filter(([key, help]) => (used += key.length + help.length + 3) <= columns + 2);
  return fitting.flatMap(([key, help]): Span[] => [
    { text: key, style: 'key' },
    { text: ` ${help}  `, style: 'dim' },
  ]);
}
