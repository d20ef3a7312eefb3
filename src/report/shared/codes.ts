/**
 * Numbers as whole ones that are small and near each other where the numbers are: three significant digits and the power of
 * ten. 0 is "not known", 1 is zero or less than 10^-6, others are 2 + 900 (power + 6) + digits - 100 with digits from 100 to 999.
 */
const lowest = -6;
const perPower = 900;

/** The code of a value that is not negative, or NaN. */
export function codeOf(value: number): number {
  if (Number.isNaN(value)) return 0;
  if (value < 10 ** lowest) return 1;
  let power = Math.floor(Math.log10(value));
  let digits = Math.round(value / 10 ** (power - 2));
  if (digits > 999) {
    digits = 100;
    power++;
  } else if (digits < 100) {
    // The logarithm was rounded up.
    power--;
    digits = Math.round(value / 10 ** (power - 2));
  }
  return Math.max(1, 2 + perPower * (power - lowest) + digits - 100);
}

/** The value of a code. */
export function valueOf(code: number): number {
  if (code < 2) return code === 0 ? NaN : 0;
  const digits = ((code - 2) % perPower) + 100;
  const power = Math.floor((code - 2) / perPower) + lowest - 2;
  return power < 0 ? digits / 10 ** -power : digits * 10 ** power;
}

/** The values of one metric: of each series, bucket by bucket. */
export interface Planes {
  readonly mean: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/**
 * Reads what {@link packPlanes} wrote.
 *
 * @param count of all values of a plane
 * @throws RangeError where bytes are missing
 */
export function unpackPlanes(bytes: Uint8Array, count: number): Planes {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('values are missing');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const planes = {
    mean: new Float64Array(count).fill(NaN),
    min: new Float64Array(count).fill(NaN),
    max: new Float64Array(count).fill(NaN),
  };
  const codes = new Int32Array(count);
  let code = 0;
  for (let index = 0; index < count; index++) {
    const step = next();
    code += step % 2 === 0 ? step / 2 : -(step + 1) / 2;
    codes[index] = code;
    planes.mean[index] = valueOf(code);
  }
  for (let index = 0; index < count; index++)
    if (codes[index] !== 0) planes.max[index] = valueOf((codes[index] as number) + next());
  for (let index = 0; index < count; index++)
    if (codes[index] !== 0) planes.min[index] = valueOf((codes[index] as number) - next());
  return planes;
}

/** Writes planes: differences of codes from bucket to bucket, and of maxima and minima from the means, seven bits a byte. */
export function packPlanes({ mean, min, max }: Planes): Uint8Array {
  // A code takes three bytes at most.
  const bytes = new Uint8Array(9 * mean.length);
  let at = 0;
  const write = (value: number): void => {
    for (; value >= 128; value >>>= 7) bytes[at++] = (value & 127) | 128;
    bytes[at++] = value;
  };
  const codes = Int32Array.from(mean, codeOf);
  let before = 0;
  for (const code of codes) {
    const step = code - before;
    write(step >= 0 ? 2 * step : -2 * step - 1);
    before = code;
  }
  for (const [index, code] of codes.entries())
    if (code !== 0) write(Math.max(0, codeOf(max[index] as number) - code));
  for (const [index, code] of codes.entries())
    if (code !== 0) write(Math.max(0, code - codeOf(min[index] as number)));
  return bytes.subarray(0, at);
}
