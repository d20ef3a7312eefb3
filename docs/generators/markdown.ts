/** A table in Markdown; cells are not escaped. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(headings), `|${' --- |'.repeat(headings.length)}`, ...rows.map(line)].join('\n');
}

/** Plain text for a cell: what Markdown or HTML would take for markup is escaped. */
export function plain(text: string): string {
  return text.replace(/[|<*\\]/g, '\\$&');
}

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
