const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
/** What stands for "no UUID" in QEMU and SMBIOS. */
const NONE = '00000000-0000-0000-0000-000000000000';
/** UTF-16 code units of a name at most. */
const LONGEST_NAME = 255;

/** A UUID in lower case; undefined for any other text. */
export function uuidOf(text: string | undefined): string | undefined {
  const uuid = text?.toLowerCase();
  return uuid !== undefined && UUID.test(uuid) && uuid !== NONE ? uuid : undefined;
}

/** A name, cut where it is longer than any name should be; undefined where there is none. */
export function nameOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length <= LONGEST_NAME) return text;
  // A surrogate pair is not cut in half.
  return text.slice(0, LONGEST_NAME).replace(/[\ud800-\udbff]$/, '');
}
