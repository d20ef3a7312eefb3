/** How often samples are taken, where somebody may change that while the loop runs, or want one at once. */
export class Pace {
  #frequency: number;
  #wake = new AbortController();
  #due = false;

  /**
   * @param frequency seconds between samples
   * @param stop wakes the loop when it is aborted
   */
  constructor(frequency: number, stop: AbortSignal) {
    this.#frequency = frequency;
    stop.addEventListener('abort', () => {
      this.#wake.abort();
    });
  }

  get frequency(): number {
    return this.#frequency;
  }

  set frequency(seconds: number) {
    this.#frequency = seconds;
    this.#wake.abort();
  }

  /** Wants a sample at once, beside the beat. */
  sampleNow(): void {
    this.#due = true;
    this.#wake.abort();
  }

  /** Aborted when the wait for the next tick is to end early; each wait gets one of its own. */
  next(): AbortSignal {
    this.#wake = new AbortController();
    return this.#wake.signal;
  }

  /** Whether a sample is wanted at once; asking takes the wish. */
  takeWish(): boolean {
    const due = this.#due;
    this.#due = false;
    return due;
  }
}
