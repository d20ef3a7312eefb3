import type { LogLevel } from '../../src/config/settings.ts';
import { createLog } from '../../src/daemon/logging.ts';

/** Logs one of each, at the level of the first argument. */
const log = createLog(process.argv[2] as LogLevel, process.env);
const error = new Error('reason');
error.stack = 'Error: reason\n    at one\n    at two';
log.debug('detail');
log.info('first\nsecond');
log.warn({ err: error }, 'cannot read');
log.error({ err: error }, 'collector failed');
