import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';

const day = '2026-11-28';

function parse(...argv: string[]): { readonly replay: string | undefined; readonly span: unknown } {
  const command = parseCommandLine([...argv, '-p', 'csv'], {});
  assert.equal(command.kind, 'run');
  return { replay: command.settings.replay, span: command.span };
}

const at = (time: string): number => Date.parse(`${day}T${time}Z`);

test('--replay without a file, or a time alone, means the history', () => {
  const history = '/var/lib/proxtop/history';
  assert.deepEqual(parse('--replay'), { replay: history, span: { from: -Infinity, to: Infinity } });
  assert.deepEqual(parse('--state-dir=/s', `--at=${day}T03:00Z`), {
    replay: '/s/history',
    span: { from: -Infinity, to: Infinity, at: at('03:00') },
  });
  assert.deepEqual(parse('--replay', '--from', `${day} 03:00 UTC`, '--to', '+10m'), {
    replay: history,
    span: { from: at('03:00'), to: at('03:10') },
  });
  assert.equal(parse('--replay', 'friday.json', `--from=@${at('03:00') / 1000}`).replay, 'friday.json');
  assert.equal(parse('--replay', '-').replay, '-');
  assert.ok((parse('--at', '-1h').span as { at: number }).at < Date.now() - 3_500_000);
});

test('times that are none, and those that contradict each other', () => {
  const refused = (message: RegExp, ...argv: string[]): void => {
    assert.throws(() => parse(...argv), { name: 'ConfigError', message });
  };
  refused(/^--at: found "soon", expected a time such as 03:00, "yesterday 22:15"/, '--at', 'soon');
  refused(
    /^"22:15": unexpected argument; put a day and its time into one pair/,
    '--at',
    'yesterday',
    '22:15',
  );
  refused(
    /^--to: found 2026-11-28T02:00:00.000Z, expected a time after --from/,
    `--from=${day}T03:00Z`,
    `--to=${day}T02:00Z`,
  );
  refused(
    /^--at: found .*, expected a time from --from to --to/,
    `--from=${day}T03:00Z`,
    `--at=${day}T02:00Z`,
  );
  refused(/^--at: needs a value/, '--at');
});
