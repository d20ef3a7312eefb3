import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { documents, outsideBlocks, root } from './documents.ts';

/** What a document says outside of code. */
function prose(document: string): string {
  return outsideBlocks(document).replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]]/g, ' '));
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(document: string): Set<string> {
  const headings = [...prose(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The links of a document to files here: the path from the root, and the anchor. */
function links(
  document: string,
): { readonly link: string; readonly path: string; readonly anchor: string }[] {
  return [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = '', anchor = ''] = link.split('#');
    const path = file === '' ? document : relative(root, resolve(root, dirname(document), file));
    return [{ link, path, anchor }];
  });
}

test('no link in the documents is dead', () => {
  const dead = documents.flatMap((document) =>
    links(document).flatMap(({ link, path, anchor }) => {
      const exists = existsSync(join(root, path));
      const found = exists && (anchor === '' || anchors(path).has(anchor));
      return found ? [] : [`${document}: ${link}`];
    }),
  );
  assert.deepEqual(dead, []);
});

test('every document is reached from the index of documents', () => {
  const reached = new Set(['docs/README.md']);
  for (const document of reached)
    for (const { path } of links(document))
      if (path.endsWith('.md') && statSync(join(root, path)).isFile()) reached.add(path);
  assert.deepEqual(
    documents.filter((document) => document.startsWith('docs/') && !reached.has(document)),
    [],
  );
});
