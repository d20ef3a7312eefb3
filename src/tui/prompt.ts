import { glyphs } from '../base/strings/glyphs.ts';
import type { Key } from './screen/keys.ts';
import type { Line } from './screen/spans.ts';

/** A question in the last line. */
export interface PromptQuestion {
  readonly label: string;
  readonly text: string;
  /** Characters that can be typed; any if missing. */
  readonly allowed?: RegExp;
  /** Told what is typed, as it is typed. */
  readonly typed?: (text: string) => void;
  /** Takes the answer, and says what is wrong with it for the user; undefined for nothing. */
  readonly answered: (text: string) => string | undefined;
  /** The user cancelled. */
  readonly givenUp?: () => void;
}

/** Asks for one line of text. */
export class Prompt {
  private text: string;

  constructor(private readonly question: PromptQuestion) {
    this.text = question.text;
  }

  line(unicode: boolean): Line {
    return [
      { text: `${this.question.label}: `, style: 'key' },
      { text: this.text, style: 'strong' },
      { text: unicode ? '█' : '_' },
      { text: '  Enter ok, Esc cancel', style: 'dim' },
    ];
  }

  /** @returns whether the question is answered, and the message to show then */
  press(key: Key): { readonly done: boolean; readonly message?: string | undefined } {
    const { question } = this;
    switch (key.name) {
      case 'enter':
        return { done: true, message: question.answered(this.text) };
      case 'escape':
        question.givenUp?.();
        return { done: true };
      case 'backspace':
        this.set(
          glyphs(this.text)
            .slice(0, -1)
            .map(({ text }) => text)
            .join(''),
        );
        return { done: false };
      case 'ctrl-u':
        this.set('');
        return { done: false };
      case 'space':
        this.type(' ');
        return { done: false };
      default:
        // Names of keys are longer than any character.
        if (glyphs(key.name).length === 1) this.type(key.name);
        return { done: false };
    }
  }

  private type(character: string): void {
    if (this.question.allowed?.test(character) ?? true) this.set(this.text + character);
  }

  private set(text: string): void {
    this.text = text;
    this.question.typed?.(text);
  }
}
