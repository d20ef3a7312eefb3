import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';
import { parseProfilerCommandLine } from '../../src/cli/profiler/profiler-arguments.ts';
import { documents, outsideBlocks, read, root, shellBlocks } from './documents.ts';
import { shellCommands } from './shell-commands.ts';

/** Programs of others in commands of the documents, and why their commands need no test here. */
const others: Readonly<Record<string, string>> = {
  apt: 'test/host installs the package that make deb made',
  cat: 'shows a file',
  influx: 'the client of InfluxDB 2, which Debian does not have',
  jq: 'shows what proxtop wrote',
  ssh: 'what it runs is looked at',
  sudoedit: 'an editor',
  systemctl: 'test/host starts, reloads and stops the service',
};

/** A program of ours: parses its arguments, without doing what they say. */
const parsers: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  proxtop: (args) => parseCommandLine(args, { TERM: 'xterm' }, true),
  proxprofiler: (args) => parseProfilerCommandLine(args, {}),
};

/** Files that commands name and parsing reads. */
const files: Readonly<Record<string, string>> = {
  '/etc/proxtop.conf': join(root, 'etc/proxtop.conf'),
  FILE: join(root, 'etc/proxtop.conf'),
};

/** The command that is run in the end, and not that which runs it. */
function inner(words: readonly string[]): readonly string[] {
  if (words[0] === 'sudo') return inner(words.slice(1));
  if (words[0] === 'ssh' && words.length > 2) return inner(words.slice(2));
  return words;
}

function nameOf(program: string): string {
  return program.replace(/^dist\//, '');
}

/** What is wrong with a command of a document; undefined where nothing is. */
function mistake(words: readonly string[]): string | undefined {
  const [program = '', ...args] = inner(words);
  const parse = parsers[nameOf(program)];
  if (parse !== undefined)
    try {
      parse(args.map((word) => files[word] ?? word));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  if (program === 'make') {
    const missing = args.filter((target) => !/=/.test(target) && !makeTargets.has(target));
    return missing.length === 0 ? undefined : `the Makefile has no ${missing.join()}`;
  }
  return Object.hasOwn(others, program) ? undefined : `no test runs ${program}, and nothing says why`;
}

const makeTargets = new Set([...read('Makefile').matchAll(/^([\w-]+):(?!=)/gm)].map(([, target]) => target));

describe('commands in the documents are right', () => {
  for (const document of documents)
    test(document, () => {
      // Those of a block with a name are run by test/host/install.test.ts.
      const foreign = (words: readonly string[]): boolean => !(nameOf(words[0] ?? '') in parsers);
      const wrong = shellBlocks(document).flatMap(({ name, script }) =>
        shellCommands(script).flatMap((words) => {
          const found = name !== '' && foreign(inner(words)) ? undefined : mistake(words);
          return found === undefined ? [] : [`${words.join(' ')}: ${found}`];
        }),
      );
      assert.deepEqual(wrong, []);
    });
});

test('commands between the words of the documents are right too', () => {
  const wrong = documents
    .filter((document) => document !== 'CHANGELOG.md')
    .flatMap((document) =>
      [...outsideBlocks(document).matchAll(/`((?:sudo )?(?:proxtop|proxprofiler) [^`\n]*)`/g)].flatMap(
        ([, command = '']) =>
          shellCommands(command).flatMap((words) => {
            const found = mistake(words);
            return found === undefined ? [] : [`${document}: ${words.join(' ')}: ${found}`];
          }),
      ),
    );
  assert.deepEqual(wrong, []);
});

test('a wrong flag, value, target of make or an unknown program is found', () => {
  const said = (command: string): string => mistake(shellCommands(command)[0] ?? []) ?? '';
  assert.match(said('sudo dist/proxtop --verbos'), /did you mean --verbose/);
  assert.match(said("proxtop --printer='jsn'"), /did you mean "json"/);
  assert.match(said('ssh pve2 proxprofiler --buffersize x'), /expected/);
  assert.match(said('make debs'), /no debs/);
  assert.match(said('curl http://127.0.0.1'), /no test runs curl/);
});

test('a script is taken apart as the shell does', () => {
  const script = `# a comment
sudo a "b c" 'd|e'f \\
  g#h > out | i --j=k; l 2>/dev/null && m # end
cat >>/etc/x <<'END'
no command
END
n`;
  assert.deepEqual(shellCommands(script), [
    ['sudo', 'a', 'b c', 'd|ef', 'g#h'],
    ['i', '--j=k'],
    ['l'],
    ['m'],
    ['cat'],
    ['n'],
  ]);
});
