import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cells } from '../../../src/tui/screen/cells.ts';
import { switches } from '../../../src/tui/screen/palette.ts';
import { line, styles } from '../../../src/tui/screen/spans.ts';

function cells(columns: number, rows: number, unicode = true): Cells {
  const made = new Cells(switches(4), unicode);
  made.reset({ columns, rows });
  return made;
}

/** What is written without what only moves and colours. */
function written(changes: string): string {
  return changes.replaceAll(/\x1b\[[?\d;]*[a-zA-Z]/g, '');
}

test('everything is written at first, then only what changed', () => {
  const screen = cells(10, 2);
  screen.set(0, line('abc'));
  assert.equal(written(screen.changes()), `abc${' '.repeat(17)}`);
  assert.equal(screen.changes(), '', 'nothing changed');
  screen.set(0, line('abd'));
  assert.match(screen.changes(), /\[1;3H.*d/s);
  screen.set(0, line('abd', 'bad'));
  assert.equal(written(screen.changes()), 'abd', 'the colour alone changed');
});

test('a line is cut at the edge, a wide character that is only half there is left out', () => {
  const screen = cells(5, 1);
  screen.set(0, line('日本語'));
  assert.equal(written(screen.changes()), '日本 ');
});

test('after a character of uncertain width the cursor is positioned again', () => {
  const screen = cells(6, 1);
  screen.set(0, line('e\u0301x'));
  assert.match(screen.changes(), /\u0301\x1b\[1;2Hx/);
});

test('a run of blocks is positioned once, and what follows it again', () => {
  const screen = cells(8, 1);
  screen.set(0, line('ab\u2582\u2585\u2588cd'));
  const changes = screen.changes();
  assert.match(changes, /ab\u2582\u2585\u2588\x1b\[1;6Hcd/);
  screen.set(0, line('ab\u2583\u2585\u2587cd'));
  assert.match(screen.changes(), /\x1b\[1;3H(?:\x1b\[[\d;]*m)?\u2583\x1b\[1;5H\u2587/);
});

test('no character whose width is not sure is written between two that changed', () => {
  const screen = cells(8, 1);
  screen.set(0, line('a\u00e9b'));
  screen.changes();
  screen.set(0, line('x\u00e9y'));
  assert.match(screen.changes(), /\x1b\[1;1H(?:\x1b\[[\d;]*m)?x\x1b\[1;3Hy/);
});

test('a wide character gives way to two narrow ones and comes back', () => {
  const screen = cells(4, 1);
  screen.set(0, line('日a'));
  screen.changes();
  screen.set(0, line('xya'));
  assert.equal(written(screen.changes()), 'xy');
  screen.set(0, line('日a'));
  assert.equal(written(screen.changes()), '日');
});

test('a terminal without unicode gets ASCII in the same columns', () => {
  const screen = cells(6, 1, false);
  screen.set(0, line('日éa'));
  assert.equal(written(screen.changes()), '???a  ');
});

test('rows beyond the screen, and a screen without cells, are no error', () => {
  const screen = cells(0, 0);
  screen.set(0, line('a'));
  screen.set(-1, line('a'));
  assert.equal(screen.changes(), '');
});

test('every style has a switch at each depth of colour, and none colours where there is no colour', () => {
  for (const depth of [1, 4, 8, 24] as const) {
    for (const style of styles) {
      const screen = new Cells(switches(depth), true);
      screen.reset({ columns: 1, rows: 1 });
      screen.set(0, [{ text: 'x', style, reverse: true }]);
      const changes = screen.changes();
      assert.match(changes, /;7m/, 'reverse');
      if (depth === 1) assert.doesNotMatch(changes, /[;[][349]\d[;m]/, `no colour in ${style}`);
    }
  }
});
