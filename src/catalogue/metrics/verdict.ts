import { gauge, text } from '../metric.ts';

const needs = 'a verdict that holds';

/** One thing that is wrong, as `verdicts` says it. */
export const agentVerdict = [
  text('rule', {
    title: 'RULE',
    source: 'verdicts',
    needs,
    meaning: 'which rule of docs/verdicts.md it follows: hung, cpu-short, disk-limit, ...',
  }),
  text('subject', {
    title: 'SUBJECT',
    source: 'verdicts',
    needs,
    meaning: 'what it is about: a guest, its device, or what several of them share',
  }),
  text('state', {
    title: 'STATE',
    source: 'verdicts',
    needs,
    meaning: 'begins in its first sample, holds, and ended once in the sample after its last one',
  }),
  gauge('class', {
    title: 'CLASS',
    unit: 'count',
    source: 'verdicts',
    meaning:
      '1 down, 2 damaged, 3 slowed by others or by hardware, 4 by a limit of its own, 5 the host is short of something, 6 a hint: it could be faster; omitted when it has ended',
    needs,
  }),
  gauge('age', {
    title: 'AGE',
    unit: 'seconds',
    source: 'verdicts',
    meaning: 'for how long it has held; omitted when it has ended',
    needs,
  }),
  text('text', {
    title: 'VERDICT',
    source: 'verdicts',
    needs,
    meaning: 'the sentence: who suffers, how much, and who takes which share of what is short',
  }),
];
