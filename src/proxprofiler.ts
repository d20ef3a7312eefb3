import type { ExitCode } from './cli/exit-codes.ts';
import { exitCodes } from './cli/exit-codes.ts';
import { parseProfilerCommandLine } from './cli/profiler/profiler-arguments.ts';
import { describeProfiles } from './cli/profiler/profiler-check.ts';
import { obeyStandardOutput } from './cli/standard-output.ts';
import { describeVersion } from './cli/version.ts';
import { ConfigError } from './config/errors.ts';
import type { Invocation } from './daemon/run.ts';
import { printableLines } from './base/strings/printable.ts';
import { InputError } from './profiler/errors.ts';
import { judgeFile, profileFile, showProfiles } from './profiler/offline.ts';

async function main(): Promise<ExitCode> {
  const command = parseProfilerCommandLine(process.argv.slice(2), process.env);
  switch (command.kind) {
    case 'help':
      write(command.text);
      break;
    case 'version':
      write(describeVersion('proxprofiler'));
      break;
    case 'check': {
      const { examine } = await import('./cli/examine.ts');
      write(await examine(command.examined, process.env, describeProfiles(command.settings)));
      break;
    }
    case 'profile-file':
      await profileFile(command.input, command.settings.profiler, write);
      break;
    case 'judge-file':
      await judgeFile(command.profiles, command.input, command.settings.profiler, write);
      break;
    case 'show': {
      const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
      await showProfiles(command.source, command, command.settings.profiler, { colour, write });
      break;
    }
    // Loaded only here: what works on files needs no host.
    case 'judge': {
      const { judgeSamples } = await import('./daemon/run-profiler.ts');
      return judgeSamples(command.profiles, command.settings, invocation(command.config));
    }
    case 'record': {
      const { recordProfiles } = await import('./daemon/run-profiler.ts');
      return recordProfiles(command.settings, invocation(command.config));
    }
  }
  return exitCodes.done;
}

function invocation(config: string | undefined): Invocation {
  return { program: 'proxprofiler', env: process.env, config };
}

function write(text: string): void {
  process.stdout.write(text);
}

obeyStandardOutput('proxprofiler');

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ConfigError) && !(error instanceof InputError)) throw error;
  process.stderr.write(`proxprofiler: ${printableLines(error.message)}\n`);
  process.exitCode = exitCodes.usage;
}
