/** The simulator's clock: the true time, shifted by control. It always runs, so that nothing waits for it. */
export class Clock {
  private shiftMs = 0

  /** Epoch milliseconds. */
  now(): number {
    return Date.now() + this.shiftMs
  }

  advance(ms: number): void {
    this.shiftMs += ms
  }

  /** `null` for the true time. */
  set(at: number | null): void {
    this.shiftMs = at === null ? 0 : at - Date.now()
  }
}
