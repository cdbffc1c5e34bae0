/** Draws that a seed repeats. */
export interface Dice {
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number
  readonly isDrawn: (chance: number) => boolean
  readonly one: <A>(of: ReadonlyArray<A>) => A
}

/** A generator with 32 bits of state (mulberry32), good enough to make trouble. */
export const makeDice = (seed: number): Dice => {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    isDrawn: (chance) => next() < chance,
    one: (of) => {
      const drawn = of[below(of.length)]
      if (drawn === undefined) throw new Error("nothing to draw from")
      return drawn
    },
  }
}
