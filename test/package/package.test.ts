import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

interface Bill {
  readonly specVersion: string;
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly licenses: readonly [{ readonly license: { readonly id: string } }];
    readonly hashes: readonly [{ readonly content: string }];
  }[];
}

test('the bill of materials lists what is bundled, and the copyright file its licences', () => {
  const { specVersion, components } = JSON.parse(read('dist/sbom.cdx.json')) as Bill;
  assert.equal(specVersion, '1.5');
  const names = components.map(({ name }) => name);
  for (const { name, licenses, hashes } of components) {
    const stanza = read('debian/copyright')
      .split('\n\n')
      .find((each) => each.includes(`\n node_modules/${name}/*\n`));
    assert.ok(stanza !== undefined, `${name} is not in debian/copyright`);
    assert.ok(stanza.endsWith(`License: ${licenses[0].license.id}`), stanza);
    assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
  }
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { dev?: true; version?: string }>;
  };
  // The page of a report has it inlined, so that nothing of it is installed.
  const inlined = ['uplot'];
  for (const { name, version } of components) {
    const entry = lock.packages[`node_modules/${name}`];
    assert.deepEqual([entry?.version, entry?.dev], [version, inlined.includes(name) || undefined], name);
  }
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const unbundled = existsSync(new URL('../../dist/node_modules', import.meta.url)) ? [] : ['sd-notify'];
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => !names.includes(name)),
    unbundled,
  );
});

test('program, package and documents have one version', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const released = /^## \[(\d.*)\] - \d{4}-\d\d-\d\d$/m.exec(read('CHANGELOG.md'))?.[1];
  assert.equal(released, version, 'the newest release of the changelog');
  const shown = [...read('docs/install.md').matchAll(/proxtop_(\S+?)-1_a/g)].map(([, each]) => each);
  assert.deepEqual([...new Set(shown)], [version], 'docs/install.md');
  assert.equal(/^proxtop \((.*?)-\d+\)/.exec(read('debian/changelog'))?.[1], version);
});

test('the project has one home', () => {
  const { homepage, repository } = JSON.parse(read('package.json')) as Record<
    'homepage' | 'repository',
    string
  >;
  const control = read('debian/control');
  assert.ok(control.includes(`\nHomepage: ${homepage}\n`), control);
  assert.ok(control.includes(`\nVcs-Git: ${repository}\n`), control);
  assert.ok(repository.startsWith(`${homepage}/`));
  assert.ok(read('debian/upstream/metadata').includes(`Repository: ${repository}\n`));
  assert.ok(read('debian/watch').includes(`\n${homepage}/release/ `));
  assert.ok(read('docs/install.md').includes(`\nURIs: ${homepage}/apt\n`));
});

test('--version tells the build', () => {
  const program = fileURLToPath(new URL('../../dist/proxtop', import.meta.url));
  const said = execFileSync(program, ['--version'], { encoding: 'utf8' });
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const [name, found, ...build] = said.trimEnd().split(' ');
  assert.deepEqual([name, found], ['proxtop', version]);
  // A copy without .git knows nothing of it.
  assert.match(build.join(' '), /^(\((package|commit) .+\))?$/);
});

test('only the addon may run a script when it is installed', () => {
  assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
  assert.match(read('Makefile'), /npm rebuild sd-notify --ignore-scripts=false/);
});

/** What bash offers for the last of these words. */
function offered(program: string, ...words: string[]): string[] {
  const file = fileURLToPath(new URL(`../../debian/completions/bash/${program}`, import.meta.url));
  const script = `source ${file}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_${program}
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script, 'bash', program, ...words], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

test('bash completes flags, their values, files and directories', () => {
  assert.deepEqual(offered('proxtop', '--det'), ['--detail-interval']);
  assert.deepEqual(offered('proxtop', 'sta'), ['status']);
  assert.deepEqual(offered('proxtop', 'spool', 'd'), ['drain', 'delete']);
  assert.deepEqual(offered('proxtop', '--printer', 'in'), ['influx']);
  assert.deepEqual(offered('proxtop', '--printer', '=', 'm'), ['msgpack']);
  assert.deepEqual(offered('proxtop', '--config', '/etc/os-rel'), ['/etc/os-release']);
  assert.deepEqual(offered('proxtop', '--procfs', '/pro'), ['/proc']);
  assert.deepEqual(offered('proxtop', '--frequency', ''), ['']);
  assert.deepEqual(offered('proxprofiler', '--simu'), ['--simulate']);
});

test(
  'fish completes flags, their values, files and commands',
  { skip: spawnSync('fish', ['--version']).status !== 0 && 'needs fish' },
  () => {
    const scripts = fileURLToPath(new URL('../../debian/completions/fish', import.meta.url));
    const words = (line: string): string[] =>
      execFileSync(
        'fish',
        ['--no-config', '-c', `source ${scripts}/${line.split(' ')[0]}.fish; complete -C '${line}'`],
        {
          encoding: 'utf8',
        },
      )
        .trimEnd()
        .split('\n')
        .map((offer) => offer.split('\t')[0] ?? '');
    assert.deepEqual(words('proxtop --det'), ['--detail-interval']);
    assert.deepEqual(words('proxtop sta'), ['status']);
    assert.deepEqual(words('proxtop spool d').toSorted(), ['delete', 'drain']);
    assert.deepEqual(words('proxtop --printer in'), ['influx']);
    assert.ok(words('proxtop --config /etc/os-rel').includes('/etc/os-release'));
    assert.deepEqual(words('proxprofiler --simu'), ['--simulate']);
  },
);

for (const page of ['proxtop.1', 'proxtop.conf.5', 'proxprofiler.1']) {
  test(
    `the manual page ${page} has no error`,
    { skip: !existsSync('/usr/bin/man') && 'needs man-db' },
    () => {
      const path = fileURLToPath(new URL(`../../debian/${page}`, import.meta.url));
      const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' };
      const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', path], { env, encoding: 'utf8' });
      assert.equal(stderr, '');
      assert.match(stdout, /DESCRIPTION/);
    },
  );
}

const withoutLogrotate = spawnSync('logrotate', ['--version']).status !== 0 && 'no logrotate';
test(
  'logrotate takes files of every format, and none that rotate_size put aside',
  { skip: withoutLogrotate },
  (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'proxtop-logrotate-'));
    t.after(() => {
      rmSync(directory, { recursive: true });
    });
    const logs = join(directory, 'logs');
    const config = join(directory, 'logrotate');
    execFileSync('mkdir', [logs]);
    // No systemd is told here.
    const text = read('debian/logrotate')
      .replaceAll('/var/log/proxtop', logs)
      .replace(/systemctl.*/, 'true');
    writeFileSync(config, text, { mode: 0o644 });
    const written =
      'samples.json points.influx a.msgpack lines.log t.csv t.txt stream stream2 host12 jazz a.lz'.split(' ');
    const aside = ['samples.json.1', 'samples.json.2.gz', 'samples.json.12.gz', 'samples.json.1.draft.gz'];
    const run = (): void => {
      for (const name of [...written, ...aside]) writeFileSync(join(logs, name), name);
      execFileSync('logrotate', ['--force', '--state', join(directory, 'state'), config], { stdio: 'pipe' });
      for (const name of aside) assert.equal(readFileSync(join(logs, name), 'utf8'), name);
    };
    const dated = (): string[] => readdirSync(logs).filter((name) => /-\d{8}/.test(name));
    run();
    assert.deepEqual(
      dated()
        .map((name) => name.replace(/-\d{8}\.gz$/, ''))
        .sort(),
      [...written].sort(),
    );
    for (const name of dated())
      assert.equal(
        execFileSync('gzip', ['-dc', join(logs, name)]).toString(),
        name.replace(/-\d{8}\.gz$/, ''),
      );
    for (const name of written) assert.ok(!existsSync(join(logs, name)), `${name} was left`);
    // A week later; compressing one of the last time had failed.
    for (const name of dated()) renameSync(join(logs, name), join(logs, name.replace(/\d{8}/, '20260101')));
    writeFileSync(join(logs, 'samples.json-20260108'), 'left');
    run();
    const names = dated();
    assert.equal(names.length, 2 * written.length + 1);
    assert.ok(
      names.every((name) => !/-\d{8}-|\.gz-/.test(name)),
      String(names),
    );
  },
);
