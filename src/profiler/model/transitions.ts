/** How often a state followed a history: by key (the last states, oldest first, joined with "-"), a count for each next state. */
export type Counts = Record<string, number[]>;

/** A row of a transition matrix, in whole percent. */
export interface TransitionRow {
  /** How likely each state comes next. */
  readonly nextProbs: readonly number[];
  /** How likely this history is at all. */
  readonly probability: number;
}

/** The key of a history and of each of its suffixes, longest first: 1-2-3, 2-3, 3. */
export function historyKeys(history: readonly number[]): string[] {
  return history.map((_, index) => history.slice(index).join('-'));
}

/** Counts a transition once for each key. @param states length of a new row */
export function countTransition(counts: Counts, keys: readonly string[], next: number, states: number): void {
  for (const key of keys) {
    const row = (counts[key] ??= new Array<number>(states).fill(0));
    row[next] = (row[next] ?? 0) + 1;
  }
}

/** The row of the longest history that is known. */
export function longestKnown<T>(rows: Readonly<Record<string, T>>, keys: readonly string[]): T | undefined {
  for (const key of keys) {
    const row = rows[key];
    if (row !== undefined) return row;
  }
  return undefined;
}

/**
 * How likely a transition is, 0 to 1, after the longest suffix of its history that was seen; after none, how often its
 * state was entered from anywhere. Undefined while nothing was counted.
 */
export function likelinessOf(counts: Counts, keys: readonly string[], next: number): number | undefined {
  const row = longestKnown(counts, keys);
  if (row !== undefined) return (row[next] ?? 0) / sum(row);
  let entered = 0;
  let total = 0;
  // Keys of one state count every transition exactly once.
  for (const [key, counted] of Object.entries(counts)) {
    if (key.includes('-')) continue;
    entered += counted[next] ?? 0;
    total += sum(counted);
  }
  return total === 0 ? undefined : entered / total;
}

/** Moves counts to other levels, both those they start from and those they lead to. @param moved new level by old level */
export function relevel(counts: Counts, moved: readonly number[]): Counts {
  const result: Counts = {};
  for (const [key, row] of Object.entries(counts)) {
    const history = key.split('-').map((level) => moved[Number(level)] ?? 0);
    const target = (result[history.join('-')] ??= new Array<number>(row.length).fill(0));
    for (const [level, count] of row.entries()) {
      const to = moved[level] ?? 0;
      target[to] = (target[to] ?? 0) + count;
    }
  }
  return result;
}

/** The matrix in percent. @param periods that were counted, @param width states a row tells about */
export function toPercent(counts: Counts, periods: number, width: number): Record<string, TransitionRow> {
  const rows = Object.entries(counts).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  return Object.fromEntries(
    rows.map(([key, row]) => {
      const total = sum(row);
      const nextProbs = Array.from({ length: width }, (_, next) => percent(row[next] ?? 0, total));
      // Where inputs were left out, the periods by the count of inputs are fewer than the transitions.
      return [key, { nextProbs, probability: Math.min(100, percent(total, periods)) }];
    }),
  );
}

/** A share in whole percent, half rounded away from zero. */
function percent(part: number, whole: number): number {
  // Neither is negative, so that Math.round, which rounds half up, rounds away from zero.
  return Math.round((100 * part) / whole);
}

export function sum(row: readonly number[]): number {
  let total = 0;
  for (const count of row) total += count;
  return total;
}
