/** What is known of a unit. */
interface UnitFacts {
  /** Text after a number in a sentence; '' where none is needed. */
  readonly symbol: string;
  /** Of a number in a table, at most. */
  readonly decimals: number;
  /** Whether most numbers are whole, and are shown so. */
  readonly whole?: true;
  /** Decimals that a number in a text always has. Left out: as many as it needs. */
  readonly fixed?: number;
  /** Base unit of a level in Prometheus, and the factor to it. Left out: Prometheus gets no level in this unit. */
  readonly base?: { readonly unit: string; readonly factor: number };
}

/** The closed list of units. Numbers are always in exactly this unit; text has none (`-`). */
const declared = {
  '-': { symbol: '', decimals: 2 },
  count: { symbol: '', decimals: 2, whole: true, base: { unit: '', factor: 1 } },
  percent: { symbol: '%', decimals: 1, fixed: 1, base: { unit: 'ratio', factor: 1e-2 } },
  ratio: { symbol: '', decimals: 2, base: { unit: 'ratio', factor: 1 } },
  bytes: { symbol: '', decimals: 1, base: { unit: 'bytes', factor: 1 } },
  'bytes per second': { symbol: '', decimals: 1 },
  'MiB per second': {
    symbol: ' MiB/s',
    decimals: 2,
    base: { unit: 'bytes_per_second', factor: 2 ** 20 },
  },
  'megabit per second': {
    symbol: ' Mbit/s',
    decimals: 2,
    base: { unit: 'bytes_per_second', factor: 1e6 / 8 },
  },
  'per second': { symbol: '/s', decimals: 1, base: { unit: 'per_second', factor: 1 } },
  seconds: { symbol: ' s', decimals: 1, base: { unit: 'seconds', factor: 1 } },
  ms: { symbol: ' ms', decimals: 2, fixed: 2, base: { unit: 'seconds', factor: 1e-3 } },
  'ms per second': { symbol: ' ms/s', decimals: 1 },
  'us per second': { symbol: ' us/s', decimals: 1 },
  watts: { symbol: ' W', decimals: 1, fixed: 1, base: { unit: 'watts', factor: 1 } },
  MHz: { symbol: ' MHz', decimals: 2, whole: true, base: { unit: 'hertz', factor: 1e6 } },
  'degrees Celsius': { symbol: ' C', decimals: 1, fixed: 1, base: { unit: 'celsius', factor: 1 } },
  'revolutions per minute': { symbol: ' rpm', decimals: 2, whole: true, base: { unit: 'rpm', factor: 1 } },
} as const satisfies Readonly<Record<string, UnitFacts>>;

export type Unit = keyof typeof declared;

/** Every unit, and what is known of it. */
export const units: Readonly<Record<Unit, UnitFacts>> = declared;
