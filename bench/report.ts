/**
 * The report of a day of a synthetic host, 200 VMs: how long the built program takes to make it, how large it is, how long a
 * browser takes until its first verdicts and its plots are there. Run: node --import tsx bench/report.ts [VMS] [HOURS]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPrinter } from '../src/formats/index.ts';
import { wholeSample } from '../src/formats/printer.ts';
import { Aggregator } from '../src/delivery/aggregation/aggregator.ts';
import { columns } from '../src/catalogue/catalogue.ts';
import { newFile } from '../src/history/files.ts';
import { packMember } from '../src/history/member.ts';
import { shortenSample } from '../src/history/shorten.ts';
import { executablePath, openBrowser } from '../test/report/browser.ts';
import { start, syntheticHost } from './synthetic-host.ts';

const vmCount = Number(process.argv[2] ?? 200);
const hours = Number(process.argv[3] ?? 24);
const MINUTE = 60_000;

/** Lines of ten minutes, which are repeated with other times: to make a day of samples takes longer than to read it. */
function lines(): Buffer[] {
  const sampleAt = syntheticHost(vmCount);
  const printer = createPrinter('json', { ...wholeSample, peaks: true });
  const aggregator = new Aggregator(10);
  const slot = (id: string): number => columns('vm').find((metric) => metric.id === id)?.slot ?? NaN;
  const made: Buffer[] = [];
  for (let second = 1; second <= 600; second++) {
    const sample = sampleAt(second);
    for (const [index, { row }] of sample.guests.entries()) {
      row.texts[slot('UUID')] = `uuid-${index}`;
      row.texts[slot('vmid')] = String(1000 + index);
      row.texts[slot('name')] = `guest-${index}`;
      // The generator leaves them out, or at 0.
      row.values[slot('cpu_total')] = (index * 7 + second) % 100;
      row.values[slot('cpu_steal')] = Math.max(0, ((index * 13 + second * 3) % 60) - 30);
      row.values[slot('disk_lat_avg')] = ((index + second) % 40) / 2;
      row.values[slot('disk_reads')] = (index * second) % 500;
    }
    aggregator.add(sample, (each) => {
      shortenSample(each);
      made.push(...printer.print(each));
    });
  }
  return made;
}

const directory = mkdtempSync(join(tmpdir(), 'proxtop-report-'));
try {
  const history = join(directory, 'history');
  mkdirSync(history);
  const texts = lines().map((line) => line.toString());
  let seq = 0;
  for (let hour = 0; hour < hours; hour++) {
    const members: Buffer[] = [];
    for (let minute = 0; minute < 60; minute++) {
      const begin = start + (hour * 60 + minute) * MINUTE;
      const six = texts.slice((minute % 10) * 6, (minute % 10) * 6 + 6).map((text, index) => {
        const time = new Date(begin + index * 10_000 + 2).toISOString();
        seq += 10;
        return Buffer.from(
          text.replace(/"@timestamp":"[^"]+"/, `"@timestamp":"${time}"`).replace(/"seq":\d+/, `"seq":${seq}`),
        );
      });
      members.push(await packMember(six, begin + 2, begin + 50_002));
    }
    writeFileSync(newFile(history, hour + 1, start + hour * 60 * MINUTE).path, Buffer.concat(members));
  }
  const file = join(directory, 'report.html');
  const began = performance.now();
  const { stderr, status } = spawnSync('dist/proxtop', ['report', history, '-o', file], { encoding: 'utf8' });
  console.log(`${stderr.trim()} (exit code ${status})`);
  console.log(`made in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  console.log(`size ${(statSync(file).size / 1e6).toFixed(2)} MB`);
  if (existsSync(executablePath)) {
    const browser = await openBrowser();
    const page = await browser.newPage();
    const opened = performance.now();
    await page.goto(pathToFileURL(file).href, { waitUntil: 'commit' });
    await page.waitForSelector('table.guests tbody tr');
    console.log(`tables after ${Math.round(performance.now() - opened)} ms`);
    await page.waitForSelector('html[data-ready]', { state: 'attached' });
    console.log(`plots and heat map after ${Math.round(performance.now() - opened)} ms`);
    const decoding = performance.now();
    await page.selectOption('#heat-metric', { index: 3 });
    await page.evaluate('new Promise(requestAnimationFrame)');
    console.log(`another metric after ${Math.round(performance.now() - decoding)} ms`);
    await browser.close();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
