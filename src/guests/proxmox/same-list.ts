/** Whether two lists hold the same texts in the same order. Compares without making anything, as it is asked all the time. */
export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
