/** The simulator's own time: the real one, or a test's, plus whatever it was advanced by. */
export class Clock {
  readonly #base: () => number
  #offset = 0

  constructor(base: () => number) {
    this.#base = base
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#base() + this.#offset
  }

  advance(milliseconds: number): number {
    this.#offset += milliseconds
    return this.now()
  }
}
