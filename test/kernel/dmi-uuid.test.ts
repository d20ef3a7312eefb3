import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { dmiUuid } from '../../src/kernel/sys/dmi-uuid.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';

const sysfs = mkdtempSync(join(tmpdir(), 'proxtop-dmi-'));
after(() => {
  rmSync(sysfs, { recursive: true });
});
// Written by hand, so that the repository holds no machine's identity.
const paths = new Paths({ ...defaultRoots, sysfs });

test('is lower case, and undefined where the machine has none or does not tell', () => {
  assert.equal(dmiUuid(paths), undefined);
  mkdirSync(dirname(paths.productUuid), { recursive: true });
  const texts = [
    ['6E26D5A1-2B7F-4B0E-9C1D-0123456789AB\n', '6e26d5a1-2b7f-4b0e-9c1d-0123456789ab'],
    ['00000000-0000-0000-0000-000000000000\n', undefined],
    ['FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\n', undefined],
    ['Not Settable\n', undefined],
    ['', undefined],
  ] as const;
  for (const [text, uuid] of texts) {
    writeFileSync(paths.productUuid, text);
    assert.equal(dmiUuid(paths), uuid);
  }
});
