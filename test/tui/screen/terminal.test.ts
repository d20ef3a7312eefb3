import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pane } from '../pane.ts';

/** Gives its terminal back while a frame waits. */
const PROGRAM = join(import.meta.dirname, 'leaving.ts');

const skip = process.getuid?.() !== 0 && 'needs root';

test(
  'a frame that is on its way when the terminal is given back does not spoil the screen of the shell',
  { skip },
  async () => {
    const pane = await Pane.open(100, 10, { UV_THREADPOOL_SIZE: '1' });
    try {
      pane.type(`node --import tsx ${PROGRAM}; echo end of $?`);
      const screen = await pane.shows('end of 0');
      assert.match(screen, /^the terminal is back\nend of 0\nREADY\$/m);
      assert.doesNotMatch(screen, /the last frame/);
    } finally {
      pane.close();
    }
  },
);
