/** How often samples are taken, where the user may change that while the loop runs, or request one at once. */
export class Pace {
  private seconds: number;
  private wake = new AbortController();
  private wished = false;

  /** @param frequency seconds between samples */
  constructor(frequency: number) {
    this.seconds = frequency;
  }

  get frequency(): number {
    return this.seconds;
  }

  set frequency(seconds: number) {
    this.seconds = seconds;
    this.wake.abort();
  }

  /** Requests a sample at once, outside the ticks. */
  sampleNow(): void {
    this.wished = true;
    this.wake.abort();
  }

  /** A signal to end a wait early: aborted with `stop`, and when the frequency changes or a sample is wanted. */
  until(stop: AbortSignal): AbortSignal {
    this.wake = new AbortController();
    return AbortSignal.any([stop, this.wake.signal]);
  }

  /** Whether a sample is requested at once; clears the request. */
  takeWish(): boolean {
    const wished = this.wished;
    this.wished = false;
    return wished;
  }
}
