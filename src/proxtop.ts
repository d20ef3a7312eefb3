import { isatty } from 'node:tty';
import { parseCommandLine } from './cli/arguments/arguments.ts';
import type { Command } from './cli/arguments/arguments.ts';
import type { ExitCode } from './cli/exit-codes.ts';
import { exitCodes } from './cli/exit-codes.ts';
import { metricsJson, metricsTable } from './cli/list-metrics.ts';
import { obeyStandardOutput } from './cli/standard-output.ts';
import { describeStatus } from './cli/status/status.ts';
import { describeVersion } from './cli/version.ts';
import { ConfigError } from './config/errors.ts';
import type { Settings } from './config/settings.ts';
import { printableLines } from './base/strings/printable.ts';

/** What --check says of the terminal view. */
const ofView = ['view', 'on this terminal; it measures everything, and asks monitors every time'] as const;

async function main(): Promise<ExitCode> {
  const onTerminal = isatty(0) && isatty(1);
  const parse = (): Command => parseCommandLine(process.argv.slice(2), process.env, onTerminal);
  const command = parse();
  switch (command.kind) {
    case 'help':
      answer(command.text);
      break;
    case 'version':
      answer(describeVersion('proxtop'));
      break;
    case 'list-metrics':
      answer(command.format === 'json' ? metricsJson() : metricsTable());
      break;
    case 'check': {
      const { examine } = await import('./cli/examine.ts');
      answer(await examine(command.examined, process.env, command.view ? [ofView] : []));
      break;
    }
    case 'status': {
      const { text, exitCode } = describeStatus(command.directory);
      obeyStandardOutput('proxtop');
      (exitCode === exitCodes.failure ? process.stderr : process.stdout).write(text);
      return exitCode;
    }
    case 'worst': {
      const { printWorst } = await import('./daemon/worst/print-worst.ts');
      const { request, span, settings } = command;
      const { replay = '', thresholds } = settings;
      obeyStandardOutput('proxtop');
      return printWorst({ path: replay, span, thresholds }, request, process.stdout, process.stderr);
    }
    case 'spool': {
      // Loaded only here: it needs to read MessagePack.
      const { spoolCommand } = await import('./cli/spool/spool.ts');
      obeyStandardOutput('proxtop');
      return spoolCommand(command.request, command.stateDir, process.stdout, process.stderr);
    }
    case 'report': {
      // Loaded only here, as all that reads recordings.
      const { reportCommand } = await import('./cli/report/report-command.ts');
      obeyStandardOutput('proxtop');
      return reportCommand(command.request, process.stdout, process.stderr);
    }
    case 'run': {
      // Loaded only here: --help and --list-metrics answer without them.
      const { settings, config, view, changes, span } = command;
      const { replay } = settings;
      if (replay !== undefined && view) {
        const { viewReplay } = await import('./daemon/view/replay-view.ts');
        return viewReplay(replay, span, settings, process.env);
      }
      if (replay !== undefined) {
        const { replayFile } = await import('./daemon/replay.ts');
        return replayFile(replay, span, settings, process.env);
      }
      if (view) {
        const { runView } = await import('./daemon/view/run-view.ts');
        return runView(settings, process.env, config);
      }
      const reread = (): Settings => {
        const again = parse();
        return again.kind === 'run' ? again.settings : settings;
      };
      const invocation = { program: 'proxtop', env: process.env, config, reread } as const;
      if (settings.watched !== undefined) {
        const { runCluster } = await import('./daemon/cluster/run-cluster.ts');
        return runCluster(settings, invocation);
      }
      const { run } = await import('./daemon/run.ts');
      const { streaming, telling } = await import('./daemon/consumer.ts');
      return run(settings, invocation, changes ? telling() : streaming());
    }
  }
  return exitCodes.done;
}

/** Writes the answer to a question. */
function answer(text: string): void {
  obeyStandardOutput('proxtop');
  process.stdout.write(text);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`proxtop: ${printableLines(error.message)}\n`);
  process.exitCode = exitCodes.usage;
}
