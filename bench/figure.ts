import type { Stage } from "./stage.ts"

/** How much is measured. `isQuick` keeps a figure below 50 s. */
interface Effort {
  readonly isQuick: boolean
  /** Shows how far a measurement has come. */
  readonly tell: (progress: string) => void
}

export interface Measured {
  readonly value: number
  /** What was done to get the value, with the spread where it is no count. */
  readonly how: string
  /** What the value was taken from: a number for each round. */
  readonly samples: Readonly<Record<string, ReadonlyArray<number>>>
}

/** One promise about cost. Each is a file of its own in `bench/figures`, listed in `bench/figures/index.ts`. */
export interface Figure {
  readonly name: string
  /** What the figure says, in a sentence for people. */
  readonly says: string
  readonly unit: string
  readonly limit: number
  readonly bound: "atMost" | "atLeast"
  readonly measure: (stage: Stage, effort: Effort) => Promise<Measured>
}

export const holds = (value: number, { limit, bound }: Pick<Figure, "limit" | "bound">): boolean =>
  bound === "atMost" ? value <= limit : value >= limit
