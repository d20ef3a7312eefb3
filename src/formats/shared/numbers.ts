const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Room that {@link writeNumber} may need: the sign and the 309 digits of the largest double. */
export const maxNumberBytes = 310;

/**
 * Writes a finite number in decimal, never with an exponent, and returns the offset behind it.
 *
 * Integers are whole, at any size. Other numbers are rounded to seven significant digits or more (an error below one
 * in a million) and lose trailing zeros: nine decimals below 1, six below 1000, three below 10^9, none from there on;
 * below 0.001 as many as seven digits take, up to a hundred. Minus zero is `0`.
 *
 * Digits go straight into the buffer because strings cost more: the 15,549 numbers of 200 VMs took 0.9 to 1.2 ms this way
 * and 2.2 to 3.3 ms with `String(number)`, before these strings are joined and encoded (bench/printers.ts).
 *
 * @param bytes has at least {@link maxNumberBytes} left from `at`
 */
export function writeNumber(bytes: Buffer, at: number, value: number): number {
  const size = Math.abs(value);
  if (size >= Number.MAX_SAFE_INTEGER || (size < 1e-3 && size > 0))
    return at + bytes.write(rare(value, size), at);
  let end = at;
  if (value < 0) bytes[end++] = MINUS;
  if (size >= 1e9) {
    const rounded = Math.round(size);
    const billions = Math.floor(rounded / 1e9);
    end = writeInteger(bytes, end, billions);
    return writeDigits(bytes, end, rounded - billions * 1e9, 9);
  }
  const integer = size | 0;
  const fraction = size - integer;
  if (fraction === 0) return writeInteger(bytes, end, integer);
  if (size >= 1000) return writeFraction(bytes, end, integer, (fraction * 1e3 + 0.5) | 0, 3, 1000);
  if (size >= 1) return writeFraction(bytes, end, integer, (fraction * 1e6 + 0.5) | 0, 6, 1_000_000);
  return writeFraction(bytes, end, integer, (fraction * 1e9 + 0.5) | 0, 9, 1_000_000_000);
}

/**
 * Writes `count` / 10^`decimals` with all its decimals, exact as far as the count is, and returns the offset behind it.
 *
 * @param count 0 or above
 * @param decimals 0 to 9
 */
export function writeDecimal(bytes: Buffer, at: number, count: number, decimals: number): number {
  if (decimals === 0 || count === 0) return writeNumber(bytes, at, Math.round(count));
  const scale = 10 ** decimals;
  const whole = Math.floor(count / scale);
  const point = writeNumber(bytes, at, whole);
  bytes[point] = POINT;
  // Beyond 2^53 the product is rounded, and so the rest may miss its bounds.
  const rest = Math.min(scale - 1, Math.max(0, Math.round(count - whole * scale)));
  return writeDigits(bytes, point + 1, rest, decimals);
}

/** Writes `integer` + `scaled` / `scale`, where `scale` is 10^`decimals` and `scaled` at most that. */
function writeFraction(
  bytes: Buffer,
  at: number,
  integer: number,
  scaled: number,
  decimals: number,
  scale: number,
): number {
  if (scaled === scale) return writeInteger(bytes, at, integer + 1);
  const point = writeInteger(bytes, at, integer);
  if (scaled === 0) return point;
  let digits = scaled;
  let count = decimals;
  while (digits % 10 === 0) {
    digits = (digits / 10) | 0;
    count--;
  }
  bytes[point] = POINT;
  return writeDigits(bytes, point + 1, digits, count);
}

/** Writes an integer from 0 below 2^31. */
function writeInteger(bytes: Buffer, at: number, value: number): number {
  let count = 1;
  for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) count++;
  return writeDigits(bytes, at, value, count);
}

/** Writes the last `count` digits of an integer from 0 below 2^31, with leading zeros. */
function writeDigits(bytes: Buffer, at: number, value: number, count: number): number {
  const end = at + count;
  let rest = value;
  for (let index = end - 1; index >= at; index--) {
    const tens = (rest / 10) | 0;
    bytes[index] = ZERO + rest - tens * 10;
    rest = tens;
  }
  return end;
}

/** The decimal text of a number too large or too small for the arithmetic above. */
function rare(value: number, size: number): string {
  if (size >= 1) return BigInt(value).toString();
  const decimals = Math.min(100, 6 - Math.floor(Math.log10(size)));
  const text = value.toFixed(decimals).replace(/\.?0+$/, '');
  return text === '-0' ? '0' : text;
}
