import { isObject, parseJson } from '../../untyped/values.ts';
import { InputError } from '../errors.ts';
import type { Profile, ProfileMatrix, Subject } from '../profile.ts';
import { profileVersion } from '../profile.ts';
import { numberedLines } from './numbered-lines.ts';

/** Whether a name is that of one VM, as the stream has it. */
const vmName = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|proxmox-\d+|qemu-\d+-\d+)$/i;

/** The profiles of a file: a VM's own, or the one that holds for all that have none. */
export class ProfileSet {
  private readonly bySubject = new Map<string, Profile>();
  private readonly common: Profile | undefined;

  /** @param profiles of several of the same VM the last one holds @throws InputError when two are for all VMs */
  constructor(profiles: readonly Profile[], path: string) {
    for (const profile of profiles) this.bySubject.set(keyOf(profile), profile);
    const [common, second] = [...this.bySubject.values()].filter(({ name }) => !vmName.test(name));
    if (common !== undefined && second !== undefined) {
      throw new InputError(
        `${path}: ${JSON.stringify(common.name)} and ${JSON.stringify(second.name)} are no UUIDs; expected one profile at most that is for all VMs`,
      );
    }
    this.common = common;
  }

  get all(): readonly Profile[] {
    return [...this.bySubject.values()];
  }

  /**
   * The profile of a VM: the one under its UUID, and vmid and pid as far as the profile tells them; else the one whose name
   * is no UUID.
   */
  of({ name, vmid, pid }: Subject): Profile | undefined {
    const { bySubject } = this;
    const own = bySubject.get(keyOf({ name, vmid, pid })) ?? bySubject.get(keyOf({ name, vmid }));
    return own ?? bySubject.get(keyOf({ name })) ?? this.common;
  }
}

function keyOf({ name, vmid = '', pid = '' }: Subject): string {
  return JSON.stringify([name, vmid, pid]);
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
    throw new InputError(`${place}: the profile is damaged: name, settings and roottx do not fit together`);
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
