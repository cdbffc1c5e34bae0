import type { Fault } from "../../local/simulator/model.ts"
import type { Dice } from "../dice.ts"

/** A fault as a request brings it along: see `faultHeader`. */
export interface OrderedFault {
  readonly fault: Fault
  readonly afterProcessing: boolean
}

const emptied = { items: [], total: 0, pageInfo: { totalResults: 0 } }
const patches: ReadonlyArray<Extract<Fault, { type: "patch" }>["patch"]> = [
  emptied,
  { items: null },
  { items: "none" },
  [{ path: "/items/0", value: null }],
  [{ path: "/items/0/id", value: 7 }],
  { expires_in: -1 },
  { access_token: 17 },
  { refresh_token: "" },
]

/** Every kind of fault that the simulator has: a new kind does not compile until it is drawn here. */
const kinds: { readonly [Kind in Fault["type"]]: (dice: Dice) => Fault } = {
  status: ({ one }) => ({ type: "status", status: one([400, 401, 403, 404, 408, 500, 502, 503]) }),
  rate_limited: ({ one }) => ({
    type: "rate_limited",
    ...one([{}, { retryAfterSeconds: 1 }, { retryAfterSeconds: 7200 }, { retryAfter: "soon" }, { retryAfter: "-5" }]),
  }),
  quota_exceeded: () => ({ type: "quota_exceeded" }),
  hang: () => ({ type: "hang" }),
  reset: () => ({ type: "reset" }),
  truncated: () => ({ type: "truncated" }),
  html: ({ one }) => ({ type: "html", status: one([200, 502, 503]) }),
  slow: ({ below }) => ({ type: "slow", ms: 1 + below(10) }),
  patch: ({ one }) => ({ type: "patch", patch: one(patches) }),
  redirect: () => ({ type: "redirect", location: "http://127.0.0.1:1/elsewhere" }),
  huge: ({ one }) => ({ type: "huge", bytes: 5_000_000, end: one(["answer", "garbage"]) }),
  not_modified: () => ({ type: "not_modified" }),
  invalid_grant: () => ({ type: "invalid_grant" }),
}

const isKind = (name: string): name is Fault["type"] => Object.hasOwn(kinds, name)
const all = Object.keys(kinds).filter(isKind)
/** What costs much time, or ends all activity for a day, is drawn less often. */
const rare: ReadonlyArray<Fault["type"]> = ["huge", "quota_exceeded"]
const common = all.filter((kind) => !rare.includes(kind))

/** Draws what becomes of a request that fails. A token endpoint alone can refuse a grant. */
export const drawProviderFault = (dice: Dice, { isToken }: { readonly isToken: boolean }): OrderedFault => {
  const among = dice.isDrawn(0.05) ? rare : common.filter((kind) => isToken || kind !== "invalid_grant")
  const fault = kinds[dice.one(among)](dice)
  return { fault, afterProcessing: dice.isDrawn(0.5) }
}
