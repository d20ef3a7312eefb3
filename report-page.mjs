// Script and style of the page that proxtop report writes: beside the program, which puts them into each report.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

/** What would end a script element, or begin a comment that hides its end. */
const endsScript = /<\/script|<!--/i;

/** Bundles src/report/page into dist/lib/report-page.js, a classic script, and report-page.css. Returns what esbuild says. */
export async function buildReportPage(directory = 'dist/lib') {
  const licence = readFileSync('node_modules/uplot/LICENSE', 'utf8').trim();
  const { outputFiles, metafile } = await build({
    metafile: true,
    write: false,
    entryPoints: ['src/report/page/main.ts'],
    bundle: true,
    format: 'iife',
    target: ['chrome103', 'firefox113', 'safari16.4'],
    charset: 'ascii',
    legalComments: 'none',
    minify: true,
    banner: { js: `/*! Contains uPlot (https://github.com/leeoniya/uPlot):\n${licence}\n*/` },
  });
  const script = outputFiles[0].text;
  const found = endsScript.exec(script);
  if (found !== null)
    throw new Error(`src/report/page: its script holds ${found[0]}, which a report cannot carry`);
  writeFileSync(`${directory}/report-page.js`, script);
  const styles = ['node_modules/uplot/dist/uPlot.min.css', 'src/report/page/style.css'];
  writeFileSync(`${directory}/report-page.css`, styles.map((path) => readFileSync(path, 'utf8')).join('\n'));
  return { metafile };
}
