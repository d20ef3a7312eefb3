import type { RootScope } from '../../catalogue/entities.ts';
import { Row } from '../../catalogue/row.ts';
import { listsOf, partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree, RowTree } from '../../catalogue/row-tree.ts';
import type { GuestRows, Sample } from '../../sampling/sample.ts';
import { HeldValues, isSilent } from './held-values.ts';

/** Numbers that are copied faster one by one: the call for all of them takes as long as some. */
const FEW = 8;

/** The copy of a guest. */
type GuestCopy = { -readonly [K in 'guest' | 'twin']: GuestRows[K] } & {
  readonly threads: Row[];
} & RowTree<'vm'>;

/** The copy of a sample. */
class Copy {
  readonly host = emptyCopy('host');
  readonly agent = emptyCopy('agent');
  guests: readonly GuestCopy[] = [];
  /** When the sample was taken, ms since 1970. */
  time = NaN;
  /** Whether it is to stay as it is. */
  isReleased = false;
}

/**
 * Copies samples, whose rows belong to the sampler: the view draws when a key is pressed too, in the middle of the next
 * cycle. The copy is overwritten by the next one, or where somebody looks meanwhile by the next but one; its rows are kept, each
 * for the same guest, and its lists as long as guests and devices stay the same.
 */
export class Snapshots {
  private last = new Copy();
  /** The one before it, where copies take turns. */
  private other = new Copy();
  private readonly held = new HeldValues();

  /**
   * @param attend called between two guests while a copy is made: the one before stays as it is until the next one is whole.
   *   Missing where nobody looks meanwhile
   */
  constructor(private readonly attend?: () => void) {}

  copy(sample: Sample): Sample {
    const { last } = this;
    const next = this.attend === undefined ? last : this.other;
    const copy = next.isReleased ? new Copy() : next;
    copyTree(sample.host, copy.host);
    copyTree(sample.agent, copy.agent);
    this.copyGuests(sample, last, copy);
    copy.time = sample.time;
    this.other = last;
    this.last = copy;
    return { ...sample, host: copy.host, guests: copy.guests, agent: copy.agent };
  }

  /** The last copy stays as it is: the next one gets rows of its own. */
  release(): void {
    this.last.isReleased = true;
  }

  private copyGuests({ guests, time }: Sample, last: Copy, copy: Copy): void {
    const isSame = areThese(last.guests, guests);
    const before = finder(last.guests, isSame);
    const isReused = areThese(copy.guests, guests);
    const reused = finder(copy.guests, isReused);
    const copies = guests.map((rows, index) => {
      this.attend?.();
      const { key } = rows.guest;
      const old = before(index, key);
      if (old !== undefined && !isSilent(old) && isSilent(rows)) this.held.keep(old, last.time);
      const wasSilent = old !== undefined && isSilent(old);
      const own = reused(index, key) ?? { guest: rows.guest, twin: false, threads: [], ...emptyCopy('vm') };
      const showsHeld = isSilent(own);
      copyGuest(rows, own);
      if (wasSilent || showsHeld || isSilent(own)) this.held.follow(own, time);
      return own;
    });
    if (!isSame) {
      const present = new Set(guests.map(({ guest }) => guest.key));
      for (const gone of last.guests) if (!present.has(gone.guest.key)) this.held.forget(gone);
    }
    if (!isReused) copy.guests = copies;
  }
}

/** Whether copies are of these guests, in this order. */
function areThese(copies: readonly GuestCopy[], guests: readonly GuestRows[]): boolean {
  return (
    copies.length === guests.length &&
    guests.every(({ guest }, index) => guest.key === copies[index]?.guest.key)
  );
}

/** Finds the copy of a guest, by its number where the guests are the same, else by its key. */
function finder(
  copies: readonly GuestCopy[],
  areSame: boolean,
): (index: number, key: string) => GuestCopy | undefined {
  if (areSame) return (index) => copies[index];
  const known = new Map(copies.map((copy) => [copy.guest.key, copy]));
  return (_, key) => {
    const found = known.get(key);
    // Of two guests with one key the second one gets rows of its own.
    known.delete(key);
    return found;
  };
}

/** A tree without parts. */
function emptyCopy<R extends RootScope>(root: R): RowTree<R> {
  return { row: new Row(root), ...listsOf(root, (): readonly Row[] => []) };
}

function copyGuest(from: GuestRows, to: GuestCopy): void {
  const { guest, twin, threads = [] } = from;
  to.guest = guest;
  to.twin = twin;
  copyTree(from, to);
  copyRows(threads, to.threads);
}

function copyTree(from: AnyRowTree, to: AnyRowTree): void {
  copyRow(from.row, to.row);
  for (const part of partsOf(from.row.scope as RootScope))
    copyRows(rowsOf(from, part), rowsOf(to, part) as Row[]);
}

function copyRows(from: readonly Row[], to: Row[]): void {
  if (to.length > from.length) to.length = from.length;
  for (let index = 0; index < from.length; index++) {
    const row = from[index] as Row;
    copyRow(row, (to[index] ??= new Row(row.scope)));
  }
}

function copyRow({ values, texts, version, textsVersion }: Row, to: Row): void {
  if (version !== 0 && version === to.version) return;
  if (values.length > FEW) to.values.set(values);
  else for (let slot = 0; slot < values.length; slot++) to.values[slot] = values[slot] as number;
  to.version = version;
  if (textsVersion !== 0 && textsVersion === to.textsVersion) return;
  for (let slot = 0; slot < texts.length; slot++) to.texts[slot] = texts[slot];
  to.textsVersion = textsVersion;
}
