import { readOnce } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
/** SMBIOS: all zeros is "not set", all ones "not present". */
const NONE = /^[0-]+$|^[f-]+$/;

/** The UUID of the machine, lower case; undefined without the rights to read it (root), or where it has none. */
export function dmiUuid(paths: Paths): string | undefined {
  const uuid = readOnce(paths.productUuid)?.toLowerCase();
  return uuid !== undefined && UUID.test(uuid) && !NONE.test(uuid) ? uuid : undefined;
}
