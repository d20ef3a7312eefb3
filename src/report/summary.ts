import type { Collected } from './collect.ts';
import type { Trouble } from './episodes.ts';
import { markup, name } from './markup.ts';
import type { Markup } from './markup.ts';
import { Mentions } from './mentions.ts';
import { duration, momentText, offsetText, timeText } from './shared/words.ts';
import type { Zone } from './shared/model.ts';

/** Troubles that are listed; those after them are counted. */
const mostTroubles = 100;

const classes = ['', 'down', 'damaged', 'slowed', 'own limit', 'host is short'];

/** Which time the report is about, and which part of it samples tell of. */
export function coverageOf({ coverage, skipped, buckets }: Collected, zone: Zone): Markup {
  const { samples, from, to, seconds, breaks, count } = coverage;
  const damaged =
    skipped === 0 ? [] : [markup`<li>${skipped} records could not be read: they are torn or damaged</li>`];
  const told = breaks.map(({ time, text }) => markup`<li>${momentText(zone, time)}: ${text}</li>`);
  const more = count > breaks.length ? [markup`<li>and ${count - breaks.length} more</li>`] : [];
  const remarks = [...damaged, ...told, ...more];
  const changes = zone.offsets
    .slice(1)
    .map(
      ([time, minutes]) =>
        markup` The clock changes at ${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC to UTC${offsetText(minutes)}.`,
    );
  return markup`<p class="span"><b>${momentText(zone, from)} to ${momentText(zone, to)}</b>,
time zone ${zone.name} (UTC${offsetText(zone.offsets[0]?.[1] ?? 0)}).${changes}</p>
<p>${samples} ${samples === 1 ? 'sample' : 'samples'} about ${duration(seconds)} of ${duration(Math.max(seconds, (to - from) / 1000))};
each point below stands for ${duration(buckets.seconds)}: its mean, and its smallest and largest value.</p>
${remarks.length === 0 ? [] : [markup`<ul class="gaps">${remarks}</ul>`]}`;
}

/** Who suffered from what, and when it was worst. */
export function verdictsOf({ troubles, guests }: Collected, zone: Zone): Markup {
  if (troubles.length === 0)
    return markup`<p>No verdict: nobody suffered from anything that proxtop recognizes.</p>`;
  const counts = [1, 2, 3, 4, 5].flatMap((one) => {
    const count = troubles.filter((trouble) => trouble.class === one).length;
    return count === 0 ? [] : [`${count} ${classes[one] ?? ''}`];
  });
  const mentions = new Mentions(guests.map(({ label }) => label));
  const rows = troubles.slice(0, mostTroubles).map((trouble) => {
    const about = new Set([...mentions.first(trouble.subject), ...mentions.all(trouble.text)]);
    const links = [...about]
      .sort((a, b) => a - b)
      .slice(0, 6)
      .map(
        (index) =>
          markup` <a href="#g${index}" data-guest="${index}">${name(guests[index]?.label ?? '')}</a>`,
      );
    return markup`<tr class="c${trouble.class}">
<td><span class="class">${classes[trouble.class] ?? ''}</span></td>
<td class="sentence">${name(trouble.text)}</td>
<td class="n">${duration(trouble.seconds)}</td>
<td class="n">${trouble.episodes.length}</td>
<td>${longestOf(trouble, zone)}</td>
<td class="guests">${links}</td></tr>
`;
  });
  const rest = troubles.length - rows.length;
  return markup`<p>${counts.join(', ')}. The gravest come first, then those that held longest.</p>
<div class="wide"><table class="verdicts"><caption>What was wrong</caption>
<thead><tr><th>Kind</th><th>Verdict</th><th class="n">In all</th><th class="n">Times</th><th>Longest</th><th>Guests</th></tr></thead>
<tbody>
${rows}</tbody></table></div>
${rest > 0 ? [markup`<p>and ${rest} more.</p>`] : []}`;
}

function longestOf({ episodes }: Trouble, zone: Zone): string {
  const longest = episodes.reduce((best, each) => (each.to - each.from > best.to - best.from ? each : best));
  return `${momentText(zone, longest.from)} to ${timeText(zone, longest.to)}`;
}
