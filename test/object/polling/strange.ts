import type { JsonPatch } from "../../../local/simulator/model/faults.ts"
import type { FaultRule, RequestMatch } from "../../../local/simulator/model.ts"
import { clock } from "../../worker.ts"
import { type Person, simulator } from "../person.ts"

export const ids = (items: ReadonlyArray<{ readonly id: string }>) => items.map(({ id }) => id)

/** Changes the answers to one person. */
export const patch = (
  person: Person,
  match: RequestMatch,
  changes: JsonPatch,
  more: Partial<Pick<FaultRule, "times">> = {},
) =>
  simulator.setFaults([{ match: { ...match, person: person.id }, fault: { type: "patch", patch: changes }, ...more }])

/** Lets the object's own alarm look at everything that it has been waiting for. */
export const later = async (person: Person, ms: number) => {
  clock.aheadMs += ms
  await person.alarm()
}

/** The token of YouTube's page that begins at this offset. */
export const pageToken = (offset: number) => `EAAa${btoa(`PT:${offset.toString(36).padStart(6, "0")}`)}`

/** What a provider says in place of the page after this one: its address, and the token that it goes by. */
export const nextPage = {
  spotify: { second: "offset=50", loop: [{ path: "/next", from: "/href" }] },
  youtube: { second: `pageToken=${pageToken(50)}`, loop: { nextPageToken: pageToken(50) } },
} as const
