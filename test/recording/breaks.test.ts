import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaks } from '../../src/recording/breaks.ts';

type Step = readonly [second: number, seq: number, run?: string];

/** What is said before each of some records of 10 s. */
function said(...steps: readonly Step[]): (string | undefined)[] {
  const breaks = new Breaks();
  return steps.map(([second, seq, run = 'a']) =>
    breaks.next({ time: second * 1000, seq, run, interval: 10 }),
  );
}

const steady: readonly Step[] = [
  [10, 10],
  [20, 20],
  [30.4, 30],
];

test('what follows without a break needs no word', () => {
  assert.deepEqual(said(...steady), [undefined, undefined, undefined]);
});

test('another run, lost minutes, and a clock that was set', () => {
  const after = (step: Step): string | undefined => said(...steady, step).at(-1);
  assert.equal(after([640, 5, 'b']), 'another run of proxtop, after 10 min');
  assert.equal(after([20, 5, 'b']), 'another run of proxtop, whose clock is 10 s behind');
  assert.equal(after([100.4, 100]), '60 s are missing: lost or damaged');
  assert.equal(after([7240.4, 40]), 'the clock was set forward by 2 h, or the host slept');
  assert.equal(after([-3559.6, 40]), 'the clock was set back by 60 min');
});

test('a jump in the recording is none', () => {
  const breaks = new Breaks();
  breaks.next({ time: 0, seq: 1, run: 'a', interval: 10 });
  breaks.jumped();
  assert.equal(breaks.next({ time: 9_000_000, seq: 9, run: 'b', interval: 10 }), undefined);
});
