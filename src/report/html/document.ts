import { createHash } from 'node:crypto';
import { guestBlocks, hostBlocks } from './blocks.ts';
import type { Block } from './blocks.ts';
import { hostTitle, onHost } from '../collect.ts';
import type { Collected } from '../collect.ts';
import { markup, json, Markup } from './markup.ts';
import { guestLines, hostLines } from './panels.ts';
import type { Panel, ReportData, Zone } from '../shared/model.ts';
import { coverageOf, verdictsOf } from './summary.ts';
import { guestTable, hostTables } from './tables.ts';
import { timelineOf } from './timeline.ts';

/** What the page is made of besides its contents. */
export interface PageFiles {
  readonly script: string;
  readonly style: string;
}

/**
 * The report as one HTML document that refers to nothing else. Only the script and the style within it may run, by their
 * hashes: whatever a name holds.
 */
export async function documentOf(collected: Collected, zone: Zone, page: PageFiles): Promise<string> {
  const [host, guests] = [await hostBlocks(collected), await guestBlocks(collected)];
  const all = [...host, ...guests];
  const about = hostTitle(collected);
  const data: ReportData = {
    title: about,
    hosts: collected.hosts.map(({ name }) => name),
    begin: collected.buckets.begin,
    seconds: collected.buckets.seconds,
    buckets: collected.buckets.count,
    zone,
    metrics: all.map(({ metric: { key, title, unit, meaning, warn, bad } }) => ({
      key,
      title,
      unit,
      meaning,
      ...(warn !== undefined && { warn }),
      ...(bad !== undefined && { bad }),
    })),
    hostPanels: panelsOf('host', hostLines, host),
    guestPanels: panelsOf('vm', guestLines, guests),
    guests: collected.guests.map(({ label, host: of }) => onHost(collected, of, label)),
  };
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(page.script)}'`,
    `style-src '${hashOf(page.style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const title = about === '' ? 'proxtop report' : `proxtop report: ${about}`;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(page.style)}</style>
</head>
<body>
<header><h1>${about === '' ? 'Host' : about}</h1>
${coverageOf(collected, zone)}</header>
<main>
<section aria-labelledby="h-verdicts"><h2 id="h-verdicts">Who suffered, and from what</h2>
${verdictsOf(collected, zone)}
${timelineOf(collected, zone)}</section>
<p id="message" role="status" hidden></p>
<noscript><p class="note">Plots and the heat map need a script, which does not run here. The tables are complete.</p></noscript>
<section id="heat" aria-labelledby="h-heat" hidden><h2 id="h-heat">Guests by time</h2></section>
<section id="guest" aria-labelledby="h-guest" hidden><h2 id="h-guest" tabindex="-1">Guest</h2></section>
<section aria-labelledby="h-guests"><h2 id="h-guests">Guests</h2>
${guestTable(collected)}</section>
<section aria-labelledby="h-host"><h2 id="h-host">${collected.hosts.length > 1 ? 'Hosts' : 'Host'}</h2>
<div id="host"></div>
${hostTables(collected, zone)}</section>
</main>
<footer><p>Made by proxtop. Values have three significant digits. <code>docs/report.md</code> and <code>docs/verdicts.md</code> of proxtop explain them.</p></footer>
<script type="application/json" id="data">${json(data)}</script>
${all.map(({ metric: { key }, text }) => markup`<script type="text/plain" data-block="${key}">${new Markup(text)}</script>\n`)}<script>${new Markup(page.script)}</script>
</body>
</html>
`.html;
}

/** The plots of a scope, with the lines of which there are values. */
function panelsOf(
  scope: 'host' | 'vm',
  lines: readonly { readonly title: string; readonly ids: readonly string[] }[],
  blocks: readonly Block[],
): readonly Panel[] {
  const keys = new Set(blocks.map(({ metric }) => metric.key));
  return lines
    .map(({ title, ids }) => ({
      title,
      metrics: ids.map((id) => `${scope}.${id}`).filter((key) => keys.has(key)),
    }))
    .filter(({ metrics }) => metrics.length > 0);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
