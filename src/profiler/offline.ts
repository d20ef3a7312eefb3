import { statSync } from 'node:fs';
import { visible } from '../formats/json/json.ts';
import { standardInput } from '../recording/input/file.ts';
import { InputError } from './errors.ts';
import { plotProfile } from './plot.ts';
import type { Profile, Subject } from './profile.ts';
import { profileLine, toProfile } from './profile.ts';
import { ProfileSet, holdsProfiles, readProfiles } from './read/read-profiles.ts';
import { profileRecording, readRecording } from './read/read-recording.ts';
import type { ProfilerSettings } from './settings.ts';
import { simulate } from './simulate.ts';
import { Follower } from './model/likeliness.ts';

/** Takes a piece of text that is ready to be printed. */
type Write = (text: string) => void;

/** Profiles a recording and prints a line of JSON for each VM. @throws InputError */
export async function profileFile(path: string, settings: ProfilerSettings, write: Write): Promise<void> {
  for (const [vm, profile] of await profileRecording(path, settings)) write(profileLine(vm, profile));
}

/**
 * Prints a line of JSON for each input of a recording of which it is known how likely it was after the profiles.
 * @throws InputError
 */
export async function judgeFile(
  profilesPath: string,
  path: string,
  settings: ProfilerSettings,
  write: Write,
): Promise<void> {
  const profiles = new ProfileSet(await readProfiles(profilesPath), profilesPath);
  const followers = new Map<Subject, Follower>();
  for await (const { vm, metrics, values, line } of readRecording(path, settings.metrics)) {
    const profile = profiles.of(vm);
    if (profile === undefined) continue;
    const follower = followers.get(vm) ?? new Follower(profile);
    followers.set(vm, follower);
    const likeliness = follower.next((metric) => values[metrics.indexOf(metric)] ?? NaN);
    if (Number.isNaN(likeliness)) continue;
    const { name: UUID, ...more } = vm;
    write(`${visible(JSON.stringify({ UUID, ...more, line, profile_likeliness: likeliness }))}\n`);
  }
}

/** Shows the profiles in a file, or those of a recording: heat maps, likely next states. @throws InputError */
export async function showProfiles(
  path: string,
  wanted: { readonly plot: boolean; readonly simulate: number | undefined },
  settings: ProfilerSettings,
  terminal: { readonly colour: boolean; readonly write: Write },
): Promise<void> {
  for (const profile of await profilesOf(path, settings)) {
    if (wanted.plot) terminal.write(`${plotProfile(profile, terminal.colour)}\n`);
    if (wanted.simulate === undefined) continue;
    const simulation = simulate(profile, wanted.simulate, Math.random);
    terminal.write(`${JSON.stringify({ simulation })}\n`);
  }
}

async function profilesOf(path: string, settings: ProfilerSettings): Promise<readonly Profile[]> {
  if (path === standardInput || statSync(path, { throwIfNoEntry: false })?.isFIFO() === true)
    throw new InputError(`${path}: found a pipe, expected a file, because it is read twice`);
  if (await holdsProfiles(path)) return new ProfileSet(await readProfiles(path), path).all;
  const recorded = await profileRecording(path, settings);
  return [...recorded].map(([vm, profile]) => toProfile(vm, profile));
}
