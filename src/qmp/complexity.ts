/** Open brackets at a time: QEMU nests the layers of a disk, and a chain may have 200 snapshots. */
const DEEPEST = 512;
/** Values: 256 disks have 40 000 at most. What they cost is 0.3 us and up to 80 bytes each. */
const MOST_VALUES = 100_000;

/** Characters of a text that can do no harm, whatever it is: some milliseconds. The answers about a few disks are no longer. */
const HARMLESS = 16 * 1024;

/**
 * Whether a JSON text is nested deeper, or has more values, than any answer of QEMU. Check it before parsing: 4 million
 * brackets (8 MB) keep JSON.parse busy for 2.6 s and take 400 MB; this check takes 2 ms for 1 MB.
 */
export function isTooComplex(text: string): boolean {
  if (text.length <= HARMLESS) return false;
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        inString = !inString;
        break;
      case 0x5c: // a backslash, which stands in strings only, and the character that it escapes
        i++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (!inString) depth++;
        if (!inString) values++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (!inString) depth--;
        break;
      case 0x2c: // a comma
        if (!inString) values++;
    }
    if (depth > DEEPEST || values > MOST_VALUES) return true;
  }
  return false;
}
