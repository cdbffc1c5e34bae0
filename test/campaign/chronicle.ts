import type { Provider } from "../../local/simulator/model.ts"

/**
 * What happened in the world, in order: at the providers, and what people asked of pollen and were told was done. Nothing here comes
 * from pollen's own tables.
 */
export type Happening =
  | { readonly type: "published"; readonly source: string; readonly item: string }
  | { readonly type: "withdrawn"; readonly item: string }
  | { readonly type: "followed" | "unfollowed"; readonly person: string; readonly source: string }
  | { readonly type: "connected" | "revoked" | "removed"; readonly person: string; readonly provider: Provider }
  | { readonly type: "forgotten"; readonly person: string }

/** Rows of D1, as far as people see them. */
export interface Rows {
  readonly feeds: ReadonlyArray<{ readonly person: string; readonly provider: Provider; readonly item: string }>
  readonly accounts: ReadonlyArray<{
    readonly person: string
    readonly provider: Provider
    readonly state: string
    readonly isActive: boolean
  }>
}

/** A source at the providers. */
export interface Source {
  readonly id: string
  readonly provider: Provider
}

/** What is known from outside about a person at a provider. */
export type Connection = "connected" | "revoked" | "removed" | "none"

export const connectionOf = (happenings: ReadonlyArray<Happening>, person: string, provider: Provider): Connection => {
  let connection: Connection = "none"
  for (const one of happenings) {
    if (!("person" in one) || one.person !== person) continue
    if (one.type === "forgotten") connection = "none"
    if (!("provider" in one) || one.provider !== provider) continue
    // A grant that pollen no longer has can be revoked without anybody's noticing.
    if (one.type === "revoked" && connection !== "connected") continue
    connection = one.type
  }
  return connection
}

/** Whether the person was erased, and has connected nothing since. */
export const isForgotten = (happenings: ReadonlyArray<Happening>, person: string): boolean =>
  happenings.findLastIndex((one) => one.type === "forgotten" && one.person === person) >
  happenings.findLastIndex((one) => one.type === "connected" && one.person === person)
