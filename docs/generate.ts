// Writes what is repeated from the code: docs/metrics.md, docs/configuration.md, the tables of flags in docs/flags.md and
// docs/profiler.md, the tables of docs/view.md, manual pages and completions of the package.
// Run in the root of the project: npx tsx docs/generate.ts. With --check it writes nothing and fails where it would.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { dashboards } from './integrations/grafana/build.ts';
import { migratingDocument } from './generators/migrating.ts';
import { prometheusDocument } from './integrations/prometheus/document.ts';
import { sectionFlags, synopsis } from '../src/cli/arguments/flags.ts';
import type { Flag } from '../src/cli/arguments/flags.ts';
import { proxtopProgram } from '../src/cli/arguments/arguments.ts';
import { worstFlags } from '../src/cli/worst/worst-arguments.ts';
import { modes, profilerProgram } from '../src/cli/profiler/profiler-arguments.ts';
import { columns } from '../src/catalogue/catalogue.ts';
import { scopes } from '../src/catalogue/define.ts';
import type { Scope } from '../src/catalogue/define.ts';
import { entityOf } from '../src/catalogue/entities.ts';
import { bashCompletion, fishCompletion, zshCompletion } from './generators/completions.ts';
import { configurationDocument } from './generators/configuration.ts';
import { configurationManual, programManual } from './generators/manuals.ts';
import { code, plain, table } from './generators/markdown.ts';
import { viewDocument } from './generators/view.ts';

/** `A disk of a VM`, after which the scope stands. */
function titleOf(scope: Scope): string {
  const noun = scope === 'vm_vcpu' ? 'a vCPU of a VM' : entityOf(scope).noun;
  return noun.replace(/^(a|an|the)\b/, (article) => article.charAt(0).toUpperCase() + article.slice(1));
}

function metricsDocument(): string {
  const sections = scopes.map((scope) => {
    const rows = columns(scope).map(
      ({ id, meaning, unit, kind, shown, source, formula, needs, container }) => [
        code(id),
        ...[
          meaning === formula ? '' : meaning,
          unit,
          kind,
          shown,
          source,
          container === '' ? formula : `${formula}; of a container: ${container}`,
          needs,
        ].map(plain),
      ],
    );
    return `## ${titleOf(scope)} (scope ${scope})\n\n${table(['id', 'meaning', 'unit', 'kind', 'shown', 'source', 'definition', 'needs'], rows)}\n`;
  });
  return [
    '# Metrics\n',
    'Generated from src/catalogue by docs/generate.ts: do not edit. `proxtop --list-metrics` prints the same.\n',
    'A value that cannot be known is left out. Metrics shown as verbose need `--verbose`; `needs` names what must be',
    'there for a metric to be known.\n',
    sections.join('\n'),
  ].join('\n');
}

function flagRow(flag: Flag): readonly string[] {
  const short = flag.aliases.filter((alias) => alias.length === 1).map((alias) => `-${alias}, `);
  const other = flag.aliases.filter((alias) => alias.length > 1).map((alias) => `, --${alias}`);
  const sections = {
    general: '',
    connector: '[connector] ',
    output: '[output.NAME] ',
    history: '[history] ',
    profiler: '[profiler] ',
  };
  const key = flag.option === undefined ? '' : sections[flag.option.section] + flag.option.key;
  const names = `${short.join('')}--${flag.name}${other.join('')}${synopsis(flag)}`;
  return [code(names), plain(flag.help), plain(flag.otherwise ?? ''), code(key)];
}

function flagsDocument(text: string): string {
  return withFlags(text, proxtopProgram.flags);
}

/** proxprofiler takes most flags of proxtop too; its document lists those of its own. */
function profilerDocument(text: string): string {
  return withFlags(text, [...sectionFlags(['profiler']), ...modes]);
}

function withFlags(text: string, listed: readonly Flag[]): string {
  const block = /(<!-- flags -->\n)[\s\S]*?(<!-- \/flags -->)/;
  if (!block.test(text)) throw new Error('expected a block from <!-- flags --> to <!-- /flags -->');
  const rows = listed.filter(({ hidden }) => !hidden).map(flagRow);
  const content = table(['flag', 'meaning', 'default', 'in the file'], rows);
  return text.replace(block, (_, begin: string, end: string) => `${begin}${content}\n${end}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

const commands = {
  status: [],
  worst: worstFlags.map(({ name }) => `--${name}`),
  report: [],
  spool: ['list', 'drain', 'delete'],
};
const generated: readonly (readonly [path: string, generate: (before: string) => string])[] = [
  ['docs/metrics.md', metricsDocument],
  ['docs/flags.md', flagsDocument],
  ['docs/profiler.md', profilerDocument],
  ['docs/view.md', viewDocument],
  ['docs/configuration.md', configurationDocument],
  ['debian/proxtop.1', programManual],
  ['debian/proxtop.conf.5', configurationManual],
  ['debian/completions/bash/proxtop', () => bashCompletion(proxtopProgram, commands)],
  ['debian/completions/bash/proxprofiler', () => bashCompletion(profilerProgram, {})],
  ['debian/completions/zsh/_proxtop', () => zshCompletion(proxtopProgram, commands)],
  ['debian/completions/zsh/_proxprofiler', () => zshCompletion(profilerProgram, {})],
  ['debian/completions/fish/proxtop.fish', () => fishCompletion(proxtopProgram, commands)],
  ['debian/completions/fish/proxprofiler.fish', () => fishCompletion(profilerProgram, {})],
  ['docs/migrating.md', migratingDocument],
  ['docs/integrations/prometheus/metrics.md', prometheusDocument],
  ...dashboards().map(([path, content]) => [path, () => content] as const),
];
const check = process.argv.includes('--check');
for (const [path, generate] of generated) {
  const before = read(path);
  const after = generate(before);
  if (after === before) continue;
  if (check) {
    process.stderr.write(`${path} is stale: run npx tsx docs/generate.ts\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, after);
  }
}
