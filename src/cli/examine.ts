import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { doubtsOfConfinement, logsDirectory } from '../config/check/confinement.ts';
import { doubtsOfDescriptors, limitOfService, ownLimit } from '../config/check/descriptors.ts';
import { doubts } from '../config/check/doubts.ts';
import { ConfigError } from '../config/errors.ts';
import { allOutputs } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { defaultRoots, nowhere } from '../kernel/base/paths.ts';
import type { Roots } from '../kernel/base/paths.ts';
import { obstacles } from '../delivery/shared/preconditions.ts';
import type { Obstacle } from '../delivery/shared/preconditions.ts';
import type { OutputSettings } from '../delivery/settings.ts';
import { printableLines } from '../base/strings/printable.ts';
import { replayed } from '../history/replay.ts';
import { everything } from '../history/span.ts';
import { describeSettings } from './check.ts';

/** Settings to look at. */
export interface Examined {
  /** As they would be from a shell. */
  readonly settings: Settings;
  /** As a service would have them. */
  readonly service: Settings;
  /** Whether they come from a file, as those of the service do. */
  readonly fromFile: boolean;
}

/**
 * The answer to `--check`: what would run, what is probably a mistake, and what this user may not look at.
 *
 * @param more lines of what would run that belong to another program
 * @throws ConfigError for what would not work, such as a file that is not there
 */
export async function examine(
  { settings, service, fromFile }: Examined,
  env: NodeJS.ProcessEnv,
  more: readonly (readonly [string, string])[] = [],
): Promise<string> {
  const outputs = allOutputs(settings);
  const found = outputs.flatMap((output) => obstacles(output, env['CREDENTIALS_DIRECTORY']));
  // A reload asks within the confinement itself.
  const forService = fromFile && env['NOTIFY_SOCKET'] === undefined;
  const passing = found.filter(({ directory }) => forService && directory === logsDirectory);
  const hidden = found.filter(({ denied }) => denied);
  const wrong = [
    ...found.filter((obstacle) => !hidden.includes(obstacle) && !passing.includes(obstacle)).map(said),
    ...aliases(outputs),
    ...(await troublesOfReplay(settings.replay)),
  ];
  if (wrong.length > 0)
    throw new ConfigError(`the configuration is valid but cannot work:${indented(wrong)}`);
  const notes = [
    ...doubts(settings),
    ...troublesOfRoots(settings),
    ...missingDevices(settings),
    ...(forService ? [] : doubtsOfDescriptors(settings, ownLimit())),
  ];
  const confined = [
    ...passing.map((obstacle) => `${said(obstacle)}, which the first start of the service creates`),
    ...(forService ? [...doubtsOfConfinement(service), ...doubtsOfDescriptors(service, limitOfService)] : []),
  ];
  return printableLines(
    [
      describeSettings(settings, more, service),
      ...group('Probably a mistake:', notes),
      ...group('As a service, with the unit as shipped:', confined),
      ...group('Not checked, for lack of permission (use sudo):', hidden.map(said)),
    ].join(''),
  );
}

function said({ output, why }: Obstacle): string {
  return `output ${output}: ${why}`;
}

function group(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${heading}${indented(lines)}\n`];
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `\n  ${line}`).join('');
}

/** Outputs that write to one file under two names. */
function aliases(outputs: readonly OutputSettings[]): string[] {
  const known = new Map<string, string>();
  return outputs.flatMap((output) => {
    const file = output.type === 'file' ? fileOf(output.path) : undefined;
    if (file === undefined) return [];
    const earlier = known.get(file);
    known.set(file, output.name);
    return earlier === undefined
      ? []
      : [`output ${output.name}: it writes to the file of output ${earlier} under another name`];
  });
}

/** What tells a regular file from all others; undefined where there is none. */
function fileOf(path: string): string | undefined {
  try {
    const file = statSync(path);
    return file.isFile() ? `${file.dev}:${file.ino}` : undefined;
  } catch {
    // Whether that is a trouble was looked at already.
    return undefined;
  }
}

async function troublesOfReplay(path: string | undefined): Promise<string[]> {
  if (path === undefined) return [];
  try {
    // An open of a pipe waits for who writes to it.
    if (statSync(path, { throwIfNoEntry: false })?.isFIFO() === true) return [];
    // The first one tells whether it is a recording.
    const samples = replayed(path, everything, { records: 0 });
    await samples.next();
    await samples.return(undefined);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Directories that were given and are not there. */
function troublesOfRoots({ roots }: Settings): string[] {
  const given = (Object.keys(roots) as (keyof Roots)[]).filter(
    (name) => roots[name] !== defaultRoots[name] && roots[name] !== nowhere[name],
  );
  return given.flatMap((name) =>
    isDirectory(roots[name]) ? [] : [`${name}: there is no directory ${roots[name]}`],
  );
}

/** Whether a path is that of a directory, as far as this user may know. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** Interfaces and disks that were given and that this host does not have now. */
function missingDevices({ netdev, storedev, roots: { sysfs } }: Settings): string[] {
  const missing = (key: string, kind: string, names: readonly string[] | undefined): string[] => {
    const all = join(sysfs, 'class', kind);
    return (isDirectory(all) ? (names ?? []) : [])
      .filter((name) => !existsSync(join(all, name)))
      .map((name) => `${key}: there is no ${name} in ${all}`);
  };
  return [...missing('netdev', 'net', netdev), ...missing('storedev', 'block', storedev)];
}
