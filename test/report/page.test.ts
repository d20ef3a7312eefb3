// The page in a real browser: Debian's Chromium, offline, from a file, with the policy of the page in force.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { csvOf } from '../../src/report/shared/csv.ts';
import { executablePath, openBrowser } from './browser.ts';
import { contrasts } from './contrast.ts';
import { keep, names, place, report, spike } from './helpers.ts';

const skip = !existsSync(executablePath) && `needs ${executablePath}`;
const begin = Date.UTC(2026, 10, 28, 2);
const closing: (() => void)[] = [];
let browser: Browser;
let file = '';

/** A page, and what it complained of. */
interface Opened {
  readonly page: Page;
  readonly complaints: string[];
}

async function open(path: string, options: BrowserContextOptions = {}, script = ''): Promise<Opened> {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => complaints.push(`request: ${request.url()}`));
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => console.log('policy: ' + event.violatedDirective)); ${script}`,
  );
  await page.goto(pathToFileURL(path).href);
  // The document itself.
  complaints.splice(
    complaints.findIndex((each) => each.startsWith('request: file:')),
    1,
  );
  return { page, complaints };
}

async function ready(page: Page): Promise<void> {
  await page.waitForSelector('html[data-ready]', { state: 'attached' });
}

/** Waits for an expression to hold; the policy of the page forbids what Playwright has for that. */
async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate<boolean>(expression))) await page.waitForTimeout(20);
}

/** What the heat map says of the cell that is so many steps right of the first one. */
async function cell(page: Page, steps: number): Promise<string> {
  await page.focus('.heat canvas');
  await page.keyboard.press('Home');
  for (let step = 0; step < steps; step++) await page.keyboard.press('ArrowRight');
  return (await page.textContent('#heat .live')) ?? '';
}

describe('a report', { skip }, () => {
  before(async () => {
    browser = await openBrowser();
    const directory = place({ after: (done) => closing.push(done as () => void) });
    await keep(join(directory, 'history'), { begin, minutes: 30, gap: [20, 25], spikeAt: 10 });
    file = join(directory, 'report.html');
    const { code, stderr } = await report([join(directory, 'history'), '-o', file]);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await browser.close();
    for (const close of closing) close();
  });

  test('asks for nothing, breaks no rule of its policy, and shows names as text', async () => {
    const { page, complaints } = await open(file);
    await ready(page);
    const shown = await page.locator('table.guests tbody th bdi').allTextContents();
    assert.deepEqual(
      shown.sort(),
      names
        .map((name, index) => `${100 + index} ${name.replaceAll(/[\u2028\u2029\u202e]/g, (each) => each)}`)
        .sort(),
    );
    assert.equal(await page.locator('img').count(), 0);
    await page.click('a[data-guest="1"]');
    await page.click('#guest summary');
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('has its verdicts and tables without a script', async () => {
    const { page, complaints } = await open(file, { javaScriptEnabled: false });
    const text = (await page.textContent('main')) ?? '';
    assert.match(text, /RDY 40 %: 105 takes 75 % of 8 CPUs/);
    assert.match(text, /Plots and the heat map need a script/);
    assert.equal(await page.locator('table.guests tbody tr').count(), names.length);
    assert.equal(await page.locator('svg.timeline rect').count(), 1);
    assert.match((await page.textContent('header')) ?? '', /5 min are missing/);
    assert.equal(await page.isVisible('#heat'), false);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('shows the known spike in the table, by keys, by hover and in the CSV', async () => {
    const { page } = await open(file, { acceptDownloads: true });
    await ready(page);
    const row = page.locator('table.guests tbody tr').first();
    assert.match(await row.innerText(), /100 db<main>/);
    assert.match(await row.innerText(), new RegExp(`\\t${spike.max} %`));
    // Six buckets of ten seconds a minute.
    assert.match(await cell(page, 60), /db<main>.* 2026-11-28 02:10: CPU ready .* at most 70 %, mean 40 %/);
    assert.match(await cell(page, 61), /at most 1 %/);
    assert.match(await cell(page, 125), /no data/);
    const box = await page.locator('.heat canvas').boundingBox();
    assert.ok(box !== null);
    await page.mouse.move(box.x + 190 + ((box.width - 190) * 60.5) / 180, box.y + 5);
    assert.match((await page.textContent('#heat .live')) ?? '', /02:10: .* at most 70 %/);
    await page.keyboard.press('Enter');
    await page.focus('#guest .plot');
    await page.keyboard.press('Home');
    for (let step = 0; step < 60; step++) await page.keyboard.press('ArrowRight');
    assert.match(
      (await page.textContent('#guest .live')) ?? '',
      /02:10: .*CPU ready \(waits\) 40 %, max 70 %/,
    );
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Save as CSV')]);
    const lines = readFileSync(await download.path(), 'utf8').split('\r\n');
    const columns = lines[0]?.split(',') ?? [];
    const spiked = lines.find((line) => line.includes('2026-11-28T02:10:00+00:00'))?.split(',') ?? [];
    assert.equal(spiked[columns.indexOf('CPU ready (waits) mean (%)')], '40');
    assert.equal(spiked[columns.indexOf('CPU ready (waits) max (%)')], '70');
    const missing = lines.find((line) => line.includes('2026-11-28T02:22:00+00:00'))?.split(',') ?? [];
    assert.equal(missing[columns.indexOf('CPU ready (waits) max (%)')], '');
    await page.context().close();
  });

  test('guards cells of the CSV that would be formulas', () => {
    assert.equal(csvOf([['=1+1', '-2', 'a"b', '7']]), `'=1+1,'-2,"a""b",7\r\n`);
  });

  test('zooms all plots together and back, in both colour schemes', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await open(file, { colorScheme });
      await ready(page);
      const plot = page.locator('#host .u-over').first();
      await plot.scrollIntoViewIfNeeded();
      const box = await plot.boundingBox();
      assert.ok(box !== null);
      const labels = () => page.evaluate<string>(`document.querySelector('#host canvas').toDataURL()`);
      const before = await labels();
      await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
      await page.mouse.up();
      await until(page, `document.querySelector('#host canvas').toDataURL() !== ${JSON.stringify(before)}`);
      await page.click('text=Whole time');
      await until(page, `document.querySelector('#host canvas').toDataURL() === ${JSON.stringify(before)}`);
      const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      assert.equal(back, colorScheme === 'dark' ? 'rgb(20, 24, 31)' : 'rgb(255, 255, 255)');
      // A scheme that changes while it is open.
      await page.emulateMedia({ colorScheme: colorScheme === 'dark' ? 'light' : 'dark' });
      await until(page, `document.querySelector('#host canvas').toDataURL() !== ${JSON.stringify(before)}`);
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  });

  test('has texts that stand out from what is behind them, in both colour schemes and on paper', async () => {
    for (const media of [{ colorScheme: 'light' }, { colorScheme: 'dark' }, { media: 'print' }] as const) {
      const { page } = await open(file);
      await page.emulateMedia(media);
      await ready(page);
      await page.click('#guest summary', { force: true });
      // Values and verdicts of all grades, and messages, of which this story has only some.
      await page.evaluate(`(() => {
        const cells = document.querySelectorAll('table.guests td');
        cells[0].className = 'warn';
        cells[1].className = 'bad';
        for (const grade of [1, 4]) {
          const cell = cells[0].closest('tbody').appendChild(document.createElement('tr'));
          cell.className = 'c' + grade;
          cell.appendChild(document.createElement('td')).className = 'class';
          cell.lastChild.textContent = 'class ' + grade;
        }
        document.querySelector('#message').hidden = false;
        document.querySelector('#message').textContent = 'a message';
        document.querySelector('main').appendChild(document.createElement('p')).className = 'note';
        document.querySelector('main').lastChild.textContent = 'a note';
        // The texts of plots are drawn, in these colours.
        for (const name of ['text', 'soft']) {
          const label = document.querySelector('main').appendChild(document.createElement('p'));
          label.textContent = name;
          label.style.color = 'var(--' + name + ')';
        }
      })()`);
      const { count, smallest, faint } = await contrasts(page);
      assert.deepEqual(faint, [], JSON.stringify(media));
      assert.ok(count > 150 && smallest < 21, `${count} texts, ${smallest}`);
      await page.context().close();
    }
  });

  test('prints plots and tables', async () => {
    const { page, complaints } = await open(file, { colorScheme: 'dark' });
    await ready(page);
    const pdf = await page.pdf({ format: 'A4' });
    assert.ok(pdf.length > 30_000);
    // Pages, by the objects of the file.
    assert.ok((pdf.toString('latin1').match(/\/Type \/Page\b/g) ?? []).length >= 3);
    const text = execFileSync('pdftotext', ['-layout', '-', '-'], { input: pdf, encoding: 'utf8' });
    for (const expected of [
      /^pve1$/m,
      /100 db<main> RDY 40 %: 105 takes 75 % of 8/,
      // The last tick of the time line.
      /02:25 +02:30$/m,
      // The table of all guests, names in one piece; the table of this one, although it was closed.
      /^ *100 db<main> +20 % +20 % +1\.26 % +70 % +10 s/m,
      /^ *101 <\/script>/m,
      /^ *2026-11-28 02:10 +20 % +40 % \(max 70 %\)/m,
      /^ *2026-11-28 02:22 +- +-/m,
      /^ *CPU: programs and guests +30 % +30 %/m,
    ])
      assert.match(text, expected);
    // No value is pointed at.
    assert.doesNotMatch(text, /CPU used: *-/);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('says what is missing without DecompressionStream', async () => {
    const { page, complaints } = await open(file, {}, 'delete globalThis.DecompressionStream;');
    await page.waitForSelector('#message:not([hidden])');
    assert.match((await page.textContent('#message')) ?? '', /DecompressionStream is missing/);
    assert.equal(await page.locator('table.guests tbody tr').count(), names.length);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('is read by keyboard and by those who hear it', async () => {
    const { page } = await open(file);
    await ready(page);
    const tree = await page.locator('body').ariaSnapshot();
    for (const expected of [
      /heading "Who suffered, and from what"/,
      /application "CPU ready \(waits\) of 8 guests by time/,
      /application "CPU time, pve1/,
      /combobox "Largest value of"/,
      /button "Save as CSV"/,
      /table "Guests, the one that suffered most first"/,
    ])
      assert.match(tree, expected);
    // In the order of the page.
    const order = await page.evaluate<string[]>(
      `[...document.querySelectorAll('select, .heat canvas, #guest button, #guest .plot, #host .plot')].map((each) => each.closest('section').id || 'host')`,
    );
    assert.deepEqual([...new Set(order)], ['heat', 'guest', 'host']);
    await page.context().close();
  });

  test('shows nights in which the clock changes as the host saw them, wherever it is read', async (t) => {
    const nights = [
      {
        at: Date.UTC(2026, 9, 24, 23, 30),
        shown: ['02:00 +02:00', '02:00 +01:00'],
        cell: '2026-10-25 02:30 +01:00',
      },
      {
        at: Date.UTC(2026, 2, 28, 23, 30),
        shown: ['01:30 +01:00', '03:30 +02:00'],
        cell: '2026-03-29 03:30 +02:00',
      },
    ];
    for (const { at, shown, cell: expected } of nights) {
      const directory = place(t);
      await keep(join(directory, 'history'), { begin: at, minutes: 180, spikeAt: 120, guests: ['db'] });
      const path = join(directory, 'night.html');
      const { code, stderr } = await report([directory, '-o', path], { TZ: 'Europe/Berlin' });
      assert.equal(code, 0, stderr);
      const { page, complaints } = await open(path, { timezoneId: 'America/New_York' });
      await ready(page);
      const text = (await page.textContent('body')) ?? '';
      assert.match(text, /time zone Europe\/Berlin/);
      const ticks = await page.locator('svg.timeline .tick').allTextContents();
      for (const tick of shown) assert.ok(ticks.includes(tick), `${tick} in ${ticks.join(', ')}`);
      // Buckets of 20 s: the spike is two hours after the first sample.
      assert.match(await cell(page, 360), new RegExp(`${expected.replace('+', '\\+')}: .* at most 70 %`));
      await page.click('#guest summary');
      const row = page.locator('#guest tbody tr', { hasText: expected }).first();
      assert.match(await row.innerText(), /max 70 %/);
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  });
});
