import { test } from 'node:test';
import { Pane } from '../pane.ts';

const module = new URL('../../../src/tui/screen/pending-input.ts', import.meta.url).pathname;
const screen = new URL('../../../src/tui/screen', import.meta.url).pathname;

/** Never returns to the event loop until q is pressed, then does, and gets what comes from there on. */
const program = `
const { PendingInput } = await import(process.argv[1]);
process.stdin.setRawMode(true);
process.stdin.on('data', (bytes) => { console.log('later ' + bytes); process.exit(); });
const pending = new PendingInput();
console.log('busy');
let typed = '';
while (!typed.includes('q')) {
  const bytes = Buffer.from(pending.take()).toString();
  if (bytes !== '') console.log('at once ' + bytes);
  typed += bytes;
}
pending.close();
const { openSync } = await import('node:fs');
openSync(process.argv[1]);
if (pending.take().length > 0) throw new Error('read from the file that has the number now');
console.log('idle');
`;

test('keys are read while the event loop is busy, and the event loop gets those that come later', async () => {
  const pane = await Pane.open(80, 24);
  try {
    pane.type(
      `'${process.execPath}' --import tsx --input-type=module -e '${program.replaceAll("'", '"').replaceAll('\n', ' ')}' '${module}'`,
    );
    await pane.shows(/^busy/m);
    pane.press('x');
    await pane.shows('at once x');
    pane.press('q');
    await pane.shows(/^idle/m);
    pane.press('y');
    await pane.shows('later y');
  } finally {
    pane.close();
  }
});

/** Draws two frames, and another one for each key, without ever returning to the event loop until q is pressed. */
const drawing = `
const { Cells } = await import(process.argv[1] + '/cells.ts');
const { switches } = await import(process.argv[1] + '/palette.ts');
const { Terminal } = await import(process.argv[1] + '/terminal.ts');
const cells = new Cells(switches(1), false);
let pressed = '';
const press = ({ name }) => { pressed += name; draw('pressed ' + pressed); };
const terminal = new Terminal(cells, { press, redraw: () => undefined, gone: () => undefined });
const draw = (text) => { cells.set(0, [{ text, style: 'normal' }]); terminal.show(); };
terminal.open();
draw('one');
draw('two');
while (!pressed.includes('q')) terminal.takeKeys();
await terminal.close();
console.log('closed');
process.exit();
`;

test('every key shows its effect while the event loop is busy, also where a frame was drawn just before', async () => {
  const pane = await Pane.open(80, 24);
  try {
    pane.type(
      `'${process.execPath}' --import tsx --input-type=module -e '${drawing.replaceAll("'", '"').replaceAll('\n', ' ')}' '${screen}'`,
    );
    await pane.shows(/^two/m);
    pane.press('x');
    await pane.shows(/^pressed x/m);
    pane.press('y');
    await pane.shows(/^pressed xy/m);
    pane.press('q');
    await pane.shows(/^closed/m);
  } finally {
    pane.close();
  }
});
