import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from 'pino';

/** Sends assignments such as READY=1 to the service manager, in the order of the calls. Never throws. */
export type Notify = (...assignments: readonly string[]) => void;

const run = promisify(execFile);

/**
 * The way to the service manager that started us (sd_notify(3)); undefined where none listens.
 *
 * Node has no datagrams over unix sockets, so it takes libsystemd, by the native addon of sd-notify. An addon is made
 * for one version of Node and may be missing; the program systemd-notify of systemd then says the same, for which the
 * unit has NotifyAccess=all.
 */
export async function connectServiceManager(
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<Notify | undefined> {
  if (env['NOTIFY_SOCKET'] === undefined) return undefined;
  try {
    const { default: library } = await import('sd-notify');
    return (...assignments) => {
      library.sendState(assignments.join('\n'));
    };
  } catch (error) {
    log.debug(`sd-notify cannot be loaded, using systemd-notify: ${(error as Error).message}`);
    return notifyByProgram(log);
  }
}

/** One process after the other, so that what they say keeps its order. */
function notifyByProgram(log: Logger): Notify {
  let last = Promise.resolve();
  let told = false;
  return (...assignments) => {
    last = last
      .then(() => run('systemd-notify', assignments))
      .then(
        () => undefined,
        (error: unknown) => {
          if (!told) log.error(`cannot notify the service manager: ${(error as Error).message}`);
          told = true;
        },
      );
  };
}
