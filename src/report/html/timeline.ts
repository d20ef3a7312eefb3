import { onHost } from '../collect.ts';
import type { Collected } from '../collect.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import { ticksOf } from '../shared/ticks.ts';
import { timeText } from '../shared/words.ts';
import type { Zone } from '../shared/model.ts';

const WIDTH = 1000;
const LABELS = 320;
/** Half of the longest text below the last tick: `02:00 +01:00`. */
const END = 40;
const LANE = 20;
const AXIS = 22;
/** Lanes, one for each trouble. */
const most = 30;
/** Characters of a label. */
const longest = 40;

/** When what held: a lane for each trouble, a bar for each time that it did. Drawn without a script, so that it is always there. */
export function timelineOf(collected: Collected, zone: Zone): Markup {
  const { troubles, coverage } = collected;
  if (troubles.length === 0) return markup``;
  const { from, to } = coverage;
  const lanes = troubles.slice(0, most);
  const x = (time: number): number =>
    LABELS + ((time - from) / Math.max(1, to - from)) * (WIDTH - LABELS - END);
  const height = lanes.length * LANE + AXIS;
  const ticks = ticksOf(zone, from, to, 7).map(
    (tick) =>
      markup`<line class="grid" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="0" y2="${height - AXIS}"/><text class="tick" x="${x(tick).toFixed(1)}" y="${height - 6}">${timeText(zone, tick)}</text>`,
  );
  const bars = lanes.map((trouble, lane) => {
    const top = lane * LANE;
    const label = onHost(collected, trouble.host, `${trouble.rule}: ${trouble.subject}`);
    const short = label.length > longest ? `${label.slice(0, longest - 1)}…` : label;
    const boxes = trouble.episodes.map(
      (each) =>
        markup`<rect x="${x(each.from).toFixed(1)}" y="${top + 4}" width="${Math.max(2, x(each.to) - x(each.from)).toFixed(1)}" height="${LANE - 8}"><title>${timeText(zone, each.from)} to ${timeText(zone, each.to)}: ${onHost(collected, trouble.host, trouble.text)}</title></rect>`,
    );
    return markup`<g class="c${trouble.class}"><text class="lane" x="${LABELS - 8}" y="${top + 14}">${short}</text>${boxes}</g>
`;
  });
  return markup`<div class="wide"><svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Time line of the verdicts; the table above has them in words">
${ticks}
${bars}</svg></div>`;
}
