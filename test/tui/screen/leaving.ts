import { pbkdf2 } from 'node:crypto';
import { Cells } from '../../../src/tui/screen/cells.ts';
import { switches } from '../../../src/tui/screen/palette.ts';
import { Terminal } from '../../../src/tui/screen/terminal.ts';

/** A program that shows a frame and leaves its terminal while the frame waits for Node's only thread. */
const cells = new Cells(switches(8), true);
const nothing = (): void => undefined;
// The terminal cannot be opened once more, as after su: frames go through Node's only thread.
process.seteuid?.(65534);
const terminal = new Terminal(cells, { press: nothing, redraw: nothing, gone: nothing });
terminal.open();
pbkdf2('a', 'b', 500_000, 64, 'sha512', nothing);
cells.set(3, [{ text: 'the last frame' }]);
terminal.show();
await terminal.close();
process.stdout.write('the terminal is back\n');
