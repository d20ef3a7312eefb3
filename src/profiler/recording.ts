import { open } from 'node:fs/promises';
import { csvInputs } from './recording-csv.ts';
import { jsonInputs } from './recording-json.ts';
import { InputError } from './errors.ts';
import { rulesFor } from './inputs.ts';
import type { InputName, ProfilerSettings } from './settings.ts';
import { VmProfile } from './vm-profile.ts';

/** One input of one VM, with where it stands. */
export interface RecordedInput {
  /** UUID of the VM, or the name of the file. */
  readonly vm: string;
  /** The same array for all inputs of a file. */
  readonly metrics: readonly string[];
  /** NaN for what is not known. */
  readonly values: readonly number[];
  /** Speed of the host's links in megabit per second; NaN where not known. */
  readonly link: number;
  readonly line: number;
}

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'it is a directory',
};

/** The lines of a file without their ends, a byte order mark and empty lines at its end. @throws InputError */
export async function* linesOf(path: string): AsyncGenerator<readonly [line: string, number: number]> {
  let number = 0;
  let empty = 0;
  try {
    const file = await open(path);
    try {
      if ((await file.stat()).isDirectory()) throw new InputError(`${path}: ${troubles['EISDIR'] ?? ''}`);
      for await (const text of file.readLines({ encoding: 'utf8' })) {
        number++;
        const line = number === 1 ? text.replace(/^\uFEFF/, '') : text;
        if (line.trim() === '') {
          empty++;
          continue;
        }
        for (; empty > 0; empty--) yield ['', number - empty];
        yield [line, number];
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const trouble = code === undefined ? undefined : troubles[code];
    throw trouble === undefined ? error : new InputError(`${path}: cannot read it: ${trouble}`);
  }
}

/**
 * The inputs of a recording: CSV, or JSON lines that proxtop wrote.
 * @param wanted metrics to take; undefined for the usual ones, or all columns
 * @throws InputError that names the line
 */
export async function* readRecording(
  path: string,
  wanted: readonly InputName[] | undefined,
): AsyncGenerator<RecordedInput> {
  const lines = linesOf(path);
  const first = await lines.next();
  if (first.done === true) throw new InputError(`${path}: it is empty, expected measurements`);
  const all = prepend(first.value, lines);
  const inputs = first.value[0].trimStart().startsWith('{') ? jsonInputs : csvInputs;
  yield* inputs(path, all, wanted);
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** Profiles a recording in one go. @returns the profiles by name, in the order of the recording @throws InputError */
export async function profileRecording(
  path: string,
  settings: ProfilerSettings,
): Promise<Map<string, VmProfile>> {
  const profiles = new Map<string, VmProfile>();
  let link: number | undefined;
  let rules: ReturnType<typeof rulesFor> = [];
  for await (const input of readRecording(path, settings.metrics)) {
    if (!Object.is(input.link, link)) {
      link = input.link;
      rules = rulesFor(input.metrics, settings.profile.fixedBound, settings.limits, link);
    }
    let profile = profiles.get(input.vm);
    if (profile === undefined) {
      profile = new VmProfile(settings.profile);
      profiles.set(input.vm, profile);
    }
    profile.put(rules, input.values);
  }
  return profiles;
}
