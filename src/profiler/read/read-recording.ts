import { numberedLines } from './numbered-lines.ts';
import { csvInputs } from './recording-csv.ts';
import { jsonInputs } from './recording-json.ts';
import type { RecordedInput } from './recorded-input.ts';
import { InputError } from '../errors.ts';
import { rulesFor } from '../inputs.ts';
import type { Subject } from '../profile.ts';
import type { InputName, ProfilerSettings } from '../settings.ts';
import { VmProfile } from '../model/vm-profile.ts';

/**
 * The inputs of a recording: CSV, or JSON lines that proxtop wrote.
 * @param wanted metrics to take; undefined for the usual ones, or all columns
 * @throws InputError that names the line
 */
export async function* readRecording(
  path: string,
  wanted: readonly InputName[] | undefined,
): AsyncGenerator<RecordedInput> {
  const lines = numberedLines(path);
  try {
    const first = await lines.next();
    if (first.done === true) throw new InputError(`${path}: it is empty, expected measurements`);
    const all = prepend(first.value, lines);
    const inputs = first.value[0].trimStart().startsWith('{') ? jsonInputs : csvInputs;
    yield* inputs(path, all, wanted);
  } finally {
    await lines.return(undefined);
  }
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** Profiles a recording in one go. @returns the profiles by VM, in the order of the recording @throws InputError */
export async function profileRecording(
  path: string,
  settings: ProfilerSettings,
): Promise<Map<Subject, VmProfile>> {
  const profiles = new Map<Subject, VmProfile>();
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
