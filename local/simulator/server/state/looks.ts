import type { Catalogue, Source } from "./catalogue.ts"

/** What a listing shows. */
export type Look = "missing" | "empty" | "full"

/** One look at a source's listing; spends one of its odd looks while there are any. */
export const look = (source: Source): Look => {
  if (source.missingLooks > 0) {
    source.missingLooks--
    return "missing"
  }
  if (source.emptyLooks > 0) {
    source.emptyLooks--
    return "empty"
  }
  return "full"
}

/** What a source says of itself where it is not listed item by item. */
export interface Shown {
  readonly title: string
  readonly total: number
  /** Items published since the source was made. */
  readonly published: number
  /** Changes with the rest. */
  readonly version: number
}

/** The truth, or for a source whose total stands still what was true when that began. */
export const shownOf = (catalogue: Catalogue, source: Source): Shown => {
  const { title, published, version } = source
  return { ...(source.standing ?? { total: catalogue.total(source), published, version }), title }
}
