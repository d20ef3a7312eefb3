import type { Moment } from '../moments/moment.ts';
import type { PromptQuestion } from '../prompt.ts';

/** What a command of a source can do with the view. */
export interface Desk {
  /** Shows a message in the last line for a while. */
  tell(text: string): void;
  /** Asks in the last line. */
  ask(question: PromptQuestion): void;
  /** Shows a moment, which stays valid until another one is shown. */
  show(moment: Moment): void;
}

/** Some keys and what they do with the source of the samples. */
export interface SourceCommand {
  readonly keys: readonly string[];
  /** The keys as the help writes them. */
  readonly label: string;
  readonly help: string;
  readonly act: (key: string, desk: Desk) => void;
}

/** Where the samples of a view come from. */
export interface Source {
  /** Seconds between two samples as they are wanted; undefined where they come as they come. */
  readonly interval: number | undefined;
  /** What the status line says about it, such as the state of a replay, in fewer and fewer words; none for nothing. */
  readonly note: readonly string[];
  readonly commands: readonly SourceCommand[];
  /** Takes samples so many seconds apart from now on; missing where they come as they come. */
  setInterval?(seconds: number): void;
  /** Told which VMs are worth fresh values, by their keys: those on the screen, and those that suffer; and which are expanded. */
  watch?(guests: ReadonlySet<string>, expanded: ReadonlySet<string>): void;
  /** The user quits. */
  quit(): void;
}
