import { scopes } from './define.ts';
import { entityOf, isDevice } from './entities.ts';
import type { PartLists, RootScope, Scope } from './entities.ts';
import type { Row } from './row.ts';

/** The row of the host, a VM or proxtop, and the rows of its parts in a list for each kind. */
export type RowTree<R extends RootScope> = { readonly row: Row } & PartLists<R, readonly Row[]>;
/** One of them, for code that walks them all. */
export type AnyRowTree = { [R in RootScope]: RowTree<R> }[RootScope];

/** One kind of part. */
export interface Part {
  readonly scope: Scope;
  /** The name of its list, in a sample and in JSON. */
  readonly list: string;
  readonly isDevice: boolean;
}

const parts = new Map<string | undefined, Part[]>(scopes.map((scope) => [scope, []]));
for (const scope of scopes) {
  const { parent, member } = entityOf(scope);
  parts.get(parent)?.push({ scope, list: member, isDevice: isDevice(scope) });
}

/** The kinds of parts that something has, in the order of their lists. */
export function partsOf(root: RootScope): readonly Part[] {
  return parts.get(root) ?? [];
}

/** The rows of the parts of one kind, of a tree that has such. */
export function rowsOf(tree: AnyRowTree, { list }: Part): readonly Row[] {
  return (tree as unknown as Readonly<Record<string, readonly Row[]>>)[list] as readonly Row[];
}

/** What is made for each kind of part, by the names of their lists. */
export function listsOf<R extends RootScope, T>(root: R, make: (part: Part) => T): PartLists<R, T> {
  return Object.fromEntries(partsOf(root).map((part) => [part.list, make(part)])) as PartLists<R, T>;
}
