import type { ReportMetric } from '../shared/model.ts';

type Shade = readonly [red: number, green: number, blue: number];

/** From nothing to the worst: lightness alone tells them apart, too. */
const light: readonly Shade[] = [
  [247, 249, 252],
  [253, 232, 170],
  [253, 174, 97],
  [225, 87, 60],
  [122, 4, 36],
];
const dark: readonly Shade[] = [
  [30, 34, 44],
  [84, 52, 110],
  [178, 58, 90],
  [244, 126, 60],
  [252, 240, 170],
];

/** The colour of a part of the scale, 0 to 1. */
export function shadeOf(part: number, isDark: boolean): Shade {
  const shades = isDark ? dark : light;
  const at = Math.min(1, Math.max(0, part)) * (shades.length - 1);
  const index = Math.min(shades.length - 2, Math.floor(at));
  const [from, to] = [shades[index] as Shade, shades[index + 1] as Shade];
  const rest = at - index;
  return [0, 1, 2].map((each) =>
    Math.round((from[each] as number) + ((to[each] as number) - (from[each] as number)) * rest),
  ) as unknown as Shade;
}

/** The end of the scale: twice the level where values are bad, all of a percentage, or the largest value. */
export function topOf(max: Float64Array, { bad, unit }: ReportMetric): number {
  if (bad !== undefined) return 2 * bad;
  if (unit === '%') return 100;
  let top = 0;
  for (const value of max) if (value > top) top = value;
  return top > 0 ? top : 1;
}
