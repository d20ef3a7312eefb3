import { isObject, parseJson } from '../../base/untyped/values.ts';
import { InputError } from '../errors.ts';
import type { Profile, ProfileMatrix, Subject } from '../profile.ts';
import { isContainer, profileVersion } from '../profile.ts';
import { numberedLines } from './numbered-lines.ts';

/** Whether a name is that of one VM, or container of Proxmox VE, as the stream has it. */
const vmName = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|proxmox-\d+|qemu-\d+-\d+)$/i;

/** The profiles of a file: a guest's own, or the one that holds for all VMs that have none. */
export class ProfileSet {
  private readonly bySubject = new Map<string, Profile>();
  private readonly common: Profile | undefined;

  /** @param profiles of several of the same VM the last one holds @throws InputError when two are for all VMs */
  constructor(profiles: readonly Profile[], path: string) {
    for (const profile of profiles) this.bySubject.set(keyOf(profile), profile);
    const [common, second] = [...this.bySubject.values()].filter(
      (each) => !isContainer(each) && !vmName.test(each.name),
    );
    if (common !== undefined && second !== undefined) {
      throw new InputError(
        `${path}: ${JSON.stringify(common.name)} and ${JSON.stringify(second.name)} are not UUIDs; expected at most one profile for all VMs`,
      );
    }
    this.common = common;
  }

  get all(): readonly Profile[] {
    return [...this.bySubject.values()];
  }

  /**
   * The profile of a guest: the one under its kind and UUID, and vmid and pid as far as the profile tells them; else, for
   * a VM, the one whose name is no UUID. A vmid, and so a UUID, can be that of a VM today and of a container tomorrow.
   */
  of({ name, guest_type, vmid, pid }: Subject): Profile | undefined {
    const get = (more: Partial<Subject>): Profile | undefined =>
      this.bySubject.get(keyOf({ name, guest_type, ...more }));
    const own = get({ vmid, pid }) ?? get({ vmid }) ?? get({});
    return own ?? (isContainer({ guest_type }) ? undefined : this.common);
  }
}

function keyOf({ name, guest_type = 'qemu', vmid = '', pid = '' }: Subject): string {
  return JSON.stringify([guest_type, name, vmid, pid]);
}

/** Whether a file holds profiles, by its first line that is not empty. @throws InputError when it cannot be read */
export async function holdsProfiles(path: string): Promise<boolean> {
  for await (const [line] of numberedLines(path))
    return /^\s*\{\s*"profile"\s*:/.test(line) || /^\s*\{\s*$/.test(line);
  return false;
}

/** Reads profiles: a JSON document, or the lines that proxprofiler sent. @throws InputError */
export async function readProfiles(path: string): Promise<readonly Profile[]> {
  const lines: (readonly [string, number])[] = [];
  for await (const line of numberedLines(path)) lines.push(line);
  if (lines.length === 0) throw new InputError(`${path}: it is empty, expected a profile`);
  const whole = parseJson(lines.map(([line]) => line).join('\n'));
  if (whole !== undefined) return [checked(whole, path)];
  return lines.map(([line, number]) => checked(parseJson(line), `${path}:${number}`));
}

/** Checks as much of a profile as its readers rely on. */
function checked(found: unknown, place: string): Profile {
  const profile = isObject(found) ? found['profile'] : undefined;
  if (!isObject(profile))
    throw new InputError(`${place}: expected {"profile": ...} as proxprofiler writes it`);
  const { version, name, settings, roottx } = profile as Partial<Profile>;
  if (version !== profileVersion) {
    const what = version === undefined ? 'no version' : `version ${JSON.stringify(version)}`;
    throw new InputError(`${place}: found a profile of ${what}, expected version ${profileVersion}`);
  }
  const whole =
    typeof name === 'string' &&
    isCount(settings?.states, 100) &&
    isCount(settings?.buffersize, 86_400) &&
    isCount(settings?.history, 6) &&
    Array.isArray(roottx) &&
    (roottx as readonly (Partial<ProfileMatrix> | null)[]).every((matrix) =>
      isMatrix(matrix, settings?.states ?? 0),
    );
  if (!whole)
    throw new InputError(`${place}: the profile is damaged: name, settings and roottx are inconsistent`);
  return profile as unknown as Profile;
}

function isMatrix(matrix: Partial<ProfileMatrix> | null, states: number): boolean {
  if (typeof matrix?.metric !== 'string' || !isObject(matrix.transitions)) return false;
  const { stats } = matrix;
  const numbers: readonly unknown[] = [stats?.min, stats?.max, stats?.avg, stats?.stddev, stats?.count];
  return (
    numbers.every(Number.isFinite) &&
    Object.values(matrix.transitions).every(
      (row: { nextProbs?: unknown; probability?: unknown } | null) =>
        Array.isArray(row?.nextProbs) &&
        row.nextProbs.length === states &&
        row.nextProbs.every(Number.isFinite) &&
        Number.isFinite(row.probability),
    )
  );
}

/** Whether something is a whole number from 1 to as much as can be configured. */
function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= most;
}
