import { parseCommandLine } from './cli/arguments.ts';
import { describeSettings } from './cli/check.ts';
import type { ExitCode } from './cli/exit-codes.ts';
import { exitCodes } from './cli/exit-codes.ts';
import { metricsJson, metricsTable } from './cli/list-metrics.ts';
import { version } from './cli/version.ts';
import { ConfigError } from './config/errors.ts';

async function main(): Promise<ExitCode> {
  const command = parseCommandLine(process.argv.slice(2), process.env);
  switch (command.kind) {
    case 'help':
      process.stdout.write(command.text);
      break;
    case 'version':
      process.stdout.write(`proxtop ${version}\n`);
      break;
    case 'list-metrics':
      process.stdout.write(command.format === 'json' ? metricsJson() : metricsTable());
      break;
    case 'check':
      process.stdout.write(describeSettings(command.settings));
      break;
    case 'run': {
      // Loaded only here: --help and --check answer without it.
      const { run } = await import('./daemon/run.ts');
      return run(command.settings, process.env);
    }
  }
  return exitCodes.done;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`proxtop: ${error.message}\n`);
  process.exitCode = exitCodes.usage;
}
