import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PageFiles } from './document.ts';

/** Script and style of a report, as the bundler left them beside the program. @throws Error of node:fs */
export function readPageFiles(directory = new URL('./', import.meta.url)): PageFiles {
  const read = (name: string): string => readFileSync(fileURLToPath(new URL(name, directory)), 'utf8');
  return { script: read('report-page.js'), style: read('report-page.css') };
}
