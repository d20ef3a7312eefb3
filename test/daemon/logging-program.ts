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
// What a monitor, a receiver or a name can say.
const hostile = '\u001b]0;pwned\u0007\u009b2J\u202e\u2028\n<0>forged\r\n12:00:00 error forged';
log.warn(`VM ${hostile}: ${'x'.repeat(3_000_000)}`);
log.error(new Error(`${hostile}${'\n    at forged'.repeat(1000)}`), 'collector failed');
