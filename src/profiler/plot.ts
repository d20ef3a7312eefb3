import { brief } from '../base/strings/printable.ts';
import { centreOf } from './model/levels.ts';
import type { Profile, ProfileMatrix } from './profile.ts';
import { isContainer } from './profile.ts';

const LABEL = 14;
const CELL = 7;

/** Colours of the 256-colour palette from cold to hot, and shades for where there are none. */
const heat = [17, 19, 25, 31, 37, 71, 142, 178, 208, 196];
const shades = [' ', '░', '▒', '▓', '█'];

/**
 * Transition matrices as heat maps: a row for each state a VM was in, a cell for each state that may come next.
 * @param colour whether the terminal shows colours; else shades stand for them
 */
export function plotProfile(profile: Profile, colour: boolean): string {
  const maps = profile.roottx.map((matrix) => plotMatrix(matrix, profile.settings.states, colour));
  const { name, vmid, pid } = profile;
  const kind = isContainer(profile) ? 'container' : 'VM';
  const title = `${name}${vmid === undefined ? '' : `, ${kind} ${vmid}`}${pid === undefined ? '' : `, pid ${pid}`}`;
  return `${brief(title)}\n\n${maps.join('\n')}`;
}

function plotMatrix({ metric, transitions, stats }: ProfileMatrix, states: number, colour: boolean): string {
  const all = Array.from({ length: states }, (_, state) => state);
  const title = `${printable(metric)}: ${stats.count} inputs, mean ${short(stats.avg)}, deviation ${short(stats.stddev)}`;
  const label = (state: number): string => `${state}  ${short(centreOf(state, stats, states))}`.padEnd(LABEL);
  const lines = all.map((state) => {
    const row = transitions[String(state)];
    const cells = all.map((next) => cell(row?.nextProbs[next], colour)).join('');
    const seen = row === undefined ? 'never' : `${row.probability}%`;
    return `  ${label(state)}${cells}${seen.padStart(CELL)}`;
  });
  const numbers = all.map((next) => String(next).padStart(CELL)).join('');
  const heading = `  ${'state, value'.padEnd(LABEL)}${numbers}${'seen'.padStart(CELL)}`;
  return `${[title, heading, ...lines].join('\n')}\n`;
}

function cell(percent: number | undefined, colour: boolean): string {
  if (percent === undefined) return '.'.padStart(CELL);
  const text = `${percent}%`;
  if (colour) {
    const background = heat[Math.min(heat.length - 1, Math.floor(percent / 10))] ?? 0;
    return `\u001b[48;5;${background};38;5;255m${`${text} `.padStart(CELL)}\u001b[0m`;
  }
  const shade = shades[Math.ceil((percent / 100) * (shades.length - 1))] ?? ' ';
  return `${shade}${shade}${text}`.padStart(CELL);
}

/** A text without control characters. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?');
}

/** A number in at most three digits and a letter. */
function short(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  return String(Number(value.toPrecision(3)));
}
