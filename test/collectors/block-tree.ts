import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Tree } from './support.ts';

/** sysfs with devices as the kernel lays them out: name, numbers, what each lies on. */
export function blockTree(
  t: TestContext,
  devices: Readonly<Record<string, { numbers: string; on?: readonly string[]; diskOf?: string }>>,
): Tree {
  const tree = new Tree(t);
  const sys = join(tree.root, 'sys');
  mkdirSync(join(sys, 'class/block'), { recursive: true });
  mkdirSync(join(sys, 'dev/block'), { recursive: true });
  for (const [name, { numbers, on = [], diskOf }] of Object.entries(devices)) {
    const path =
      diskOf === undefined ? `devices/virtual/block/${name}` : `devices/virtual/block/${diskOf}/${name}`;
    tree.write(`sys/${path}/dev`, `${numbers}\n`);
    if (diskOf !== undefined) tree.write(`sys/${path}/partition`, '1\n');
    for (const slave of on) tree.write(`sys/${path}/slaves/${slave}`, '');
    symlinkSync(`../../${path}`, join(sys, 'class/block', name));
    symlinkSync(`../../${path}`, join(sys, 'dev/block', numbers));
  }
  return tree;
}
