import { catalogue } from '../../src/catalogue/catalogue.ts';
import { code, plain, table } from './markdown.ts';

/** Fills the table of names into docs/migrating.md: what the original program called a metric, and what it is here. */
export function migratingDocument(text: string): string {
  const block = /(<!-- names -->\n)[\s\S]*?(<!-- \/names -->)/;
  if (!block.test(text)) throw new Error('expected a block from <!-- names --> to <!-- /names -->');
  const rows = catalogue.flatMap(({ scope, id, unit, original }) =>
    original === undefined ? [] : [[scope, code(original.id), plain(original.differs ?? ''), code(id), unit]],
  );
  const content = table(['of', 'original', 'remark', 'now', 'unit now'], rows);
  return text.replace(block, (_, begin: string, end: string) => `${begin}${content}\n${end}`);
}
