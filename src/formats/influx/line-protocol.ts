import { printable } from '../../base/strings/printable.ts';

/** Longest tag value in UTF-16 units: InfluxDB takes 64 KiB for all tags of a point, VictoriaMetrics cuts at 1 KiB each. */
const maxTag = 256;

/**
 * A text as the value of a tag in line protocol; empty where a tag without value would be, which is not allowed.
 *
 * A backslash before a comma, blank or equals sign escapes it, and readers disagree on what a backslash before a
 * backslash means; at the end it would swallow what follows. So one in the text becomes a slash. What would break the
 * line becomes a question mark.
 */
export function tagValue(text: string): string {
  return printable(text.slice(0, maxTag)).replaceAll('\\', '/').replace(/[,= ]/g, '\\$&');
}

/** A text as a string field in line protocol, in quotes and on one line. InfluxDB takes 64 KiB, more than a text has here. */
export function stringField(text: string): string {
  return `"${printable(text).replace(/["\\]/g, '\\$&')}"`;
}
