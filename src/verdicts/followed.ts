/**
 * What is kept of each of several things, such as the disks of a guest, as long as they are there. Nearly always they are those of
 * the sample before, in the same order: then nothing is looked up or made.
 */
export class Followed<Thing, Signals> {
  private names: readonly string[] = [];
  /** What {@link versionOf} said of each thing the last time. */
  private readonly versions: number[] = [];
  private inOrder: readonly Signals[] = [];
  private kept = new Map<string, Signals>();
  private distinct: readonly Signals[] = [];

  /**
   * @param nameOf tells things from each other; two of one name share what is kept
   * @param make begins with one that was not there before
   * @param versionOf the version of a thing's texts: with the same one it has the same name, which then need not be read from memory
   *   that no cache holds; 0 where it is not known
   */
  constructor(
    private readonly nameOf: (thing: Thing) => string,
    private readonly make: (name: string) => Signals,
    private readonly versionOf: (thing: Thing) => number = () => 0,
  ) {}

  /** What is kept of all of them, of each once. */
  get all(): readonly Signals[] {
    return this.distinct;
  }

  /** What is kept of the one of a name; undefined where there is none. */
  get(name: string): Signals | undefined {
    return this.kept.get(name);
  }

  /** Follows things, and forgets what is gone. @returns what is kept of them, in their order */
  follow(things: readonly Thing[]): readonly Signals[] {
    if (!this.areThese(things)) this.learn(things);
    return this.inOrder;
  }

  private areThese(things: readonly Thing[]): boolean {
    const { names, versions, nameOf, versionOf } = this;
    if (things.length !== names.length) return false;
    for (let index = 0; index < names.length; index++) {
      const thing = things[index] as Thing;
      const version = versionOf(thing);
      if (version !== 0 && version === versions[index]) continue;
      if (nameOf(thing) !== names[index]) return false;
      versions[index] = version;
    }
    return true;
  }

  private learn(things: readonly Thing[]): void {
    const before = this.kept;
    const kept = new Map<string, Signals>();
    this.names = things.map((thing) => this.nameOf(thing));
    this.versions.length = 0;
    this.inOrder = this.names.map((name) => {
      const signals = kept.get(name) ?? before.get(name) ?? this.make(name);
      kept.set(name, signals);
      return signals;
    });
    this.kept = kept;
    this.distinct = [...kept.values()];
  }
}
