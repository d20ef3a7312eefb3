import { glob } from '../base/strings/glob.ts';

/**
 * Devices of the host that somebody chose by their names, with `*` and `?`; a `!` before a name leaves its devices out.
 * Where no name says what to take, the usual devices are taken, less those that are left out.
 */
export class DeviceChoice {
  private readonly taken: readonly ((name: string) => boolean)[];
  private readonly left: readonly ((name: string) => boolean)[];

  /** @param names undefined for the usual devices */
  constructor(names: readonly string[] = []) {
    this.left = names.filter((name) => name.startsWith('!')).map((name) => glob(name.slice(1)));
    this.taken = names.filter((name) => !name.startsWith('!')).map(glob);
  }

  /** @param usual whether the device is a usual one, @param names all that it is called; undefined ones do not count */
  has(usual: boolean, ...names: readonly (string | undefined)[]): boolean {
    const isMeant = (matches: (name: string) => boolean): boolean =>
      names.some((name) => name !== undefined && matches(name));
    if (this.left.some(isMeant)) return false;
    return this.taken.length === 0 ? usual : this.taken.some(isMeant);
  }
}
