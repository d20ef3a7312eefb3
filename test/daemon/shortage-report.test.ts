import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportShortages } from '../../src/daemon/report/shortage-report.ts';
import { isShortage, refusedOpens } from '../../src/kernel/base/open-files.ts';
import { openFilesLimit } from '../../src/kernel/pid/proc-pid-limits.ts';
import { readOnce } from '../../src/kernel/base/kernel-file.ts';
import { logs, until } from '../delivery/helpers.ts';

const refused = (code: string): boolean => isShortage(Object.assign(new Error(code), { code }));

test('a shortage of descriptors is reported once, with the limit, and so is its end', async () => {
  const { log, at } = logs();
  reportShortages(log, 20);
  assert.ok(!refused('ENOENT') && !isShortage(undefined));
  assert.deepEqual([at('warn'), refusedOpens()], [[], 0]);
  for (let n = 0; n < 3; n++) assert.ok(refused('EMFILE'));
  assert.equal(refusedOpens(), 3);
  const limit = openFilesLimit(readOnce('/proc/self/limits') ?? '');
  const omitted = 'values are omitted until files can be opened again';
  const [warning] = at('warn');
  assert.equal(warning, `too many open files (LimitNOFILE=${String(limit)}): ${omitted}`);
  await until(() => at('info').length > 0, 'it is over');
  assert.deepEqual(at('info'), ['files can be opened again']);
  refused('ENFILE');
  assert.deepEqual(at('warn'), [
    warning,
    `too many open files (on this host as a whole, see fs.file-max): ${omitted}`,
  ]);
});
