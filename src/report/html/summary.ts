import type { Collected } from '../collect.ts';
import { onHost } from '../collect.ts';
import type { Trouble } from '../episodes.ts';
import { markup, name } from './markup.ts';
import type { Markup } from './markup.ts';
import { TroubledGuests } from '../mentions.ts';
import { duration, momentText, offsetText, timeText } from '../shared/words.ts';
import type { Zone } from '../shared/model.ts';

/** Troubles that are listed; those after them are counted. */
const mostTroubles = 100;

const classes = ['', 'down', 'damaged', 'slowed', 'own limit', 'host is short', 'hint'];

/** Which time the report is about, and which part of it samples tell of. */
export function coverageOf(collected: Collected, zone: Zone): Markup {
  const { coverage, skipped, buckets } = collected;
  const { hosts, from, to } = coverage;
  const damaged =
    skipped === 0 ? [] : [markup`<li>${skipped} records could not be read: they are torn or damaged</li>`];
  const remarks = [
    ...damaged,
    ...hosts.flatMap(([host, { breaks, count }]) => [
      ...breaks.map(
        ({ time, text }) => markup`<li>${onHost(collected, host, `${momentText(zone, time)}: ${text}`)}</li>`,
      ),
      ...(count > breaks.length
        ? [markup`<li>${onHost(collected, host, `and ${count - breaks.length} more`)}</li>`]
        : []),
    ]),
  ];
  const measured = hosts.map(([host, { samples, seconds, from: first, to: last }]) => {
    const of = duration(Math.max(seconds, (last - first) / 1000));
    const counted = `${samples} ${samples === 1 ? 'sample' : 'samples'}`;
    return markup`${onHost(collected, host, `${counted} about ${duration(seconds)} of ${of};`)}${hosts.length > 1 ? markup`<br>` : ''}
`;
  });
  const changes = zone.offsets
    .slice(1)
    .map(
      ([time, minutes]) =>
        markup` The clock changes at ${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC to UTC${offsetText(minutes)}.`,
    );
  return markup`<p class="span"><b>${momentText(zone, from)} to ${momentText(zone, to)}</b>,
time zone ${zone.name} (UTC${offsetText(zone.offsets[0]?.[1] ?? 0)}).${changes}</p>
<p>${measured}each point below stands for ${duration(buckets.seconds)}: its mean, and its smallest and largest value.</p>
${remarks.length === 0 ? [] : [markup`<ul class="gaps">${remarks}</ul>`]}`;
}

/** Who suffered from what, and when it was worst. */
export function verdictsOf(collected: Collected, zone: Zone): Markup {
  const { troubles, guests } = collected;
  if (troubles.length === 0)
    return markup`<p>No verdict: nobody suffered from anything that proxtop recognizes.</p>`;
  const counts = [1, 2, 3, 4, 5, 6].flatMap((one) => {
    const count = troubles.filter((trouble) => trouble.class === one).length;
    return count === 0 ? [] : [`${count} ${classes[one] ?? ''}`];
  });
  const mentions = new TroubledGuests(guests);
  const rows = troubles.slice(0, mostTroubles).map((trouble) => {
    const links = mentions
      .all(trouble)
      .slice(0, 6)
      .map(
        (index) =>
          markup` <a href="#g${index}" data-guest="${index}">${name(onHost(collected, trouble.host, guests[index]?.label ?? ''))}</a>`,
      );
    return markup`<tr class="c${trouble.class}">
<td><span class="class">${classes[trouble.class] ?? ''}</span></td>
<td class="sentence">${name(onHost(collected, trouble.host, trouble.text))}</td>
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
