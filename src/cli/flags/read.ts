import { Effect } from "effect"
import type { MovedStage } from "../../domain/stage.ts"
import { Misused } from "../exit.ts"
import { type PeopleOptions, readList, readPeople } from "../operate/people.ts"
import type { Change } from "./change.ts"

interface StageOptions {
  readonly stage: MovedStage
  readonly percentage: number | undefined
  readonly allow: string | undefined
  readonly disallow: string | undefined
  readonly enable: boolean
  readonly disable: boolean
}

/** The change that the command line of `flags set` asks for. */
export const toStageChange = Effect.fnUntraced(function* (options: StageOptions) {
  const { stage, percentage, enable, disable } = options
  const [add, remove] = yield* Effect.all([readList(options.allow), readList(options.disallow)])
  if (enable && disable) return yield* new Misused({ message: "Give --enable or --disable, not both." })
  const isEnabled = disable ? false : enable || percentage !== undefined || add.length > 0 ? true : undefined
  const allowList = { ...(add.length > 0 ? { add } : {}), ...(remove.length > 0 ? { remove } : {}) }
  const change = {
    ...(isEnabled === undefined ? {} : { isEnabled }),
    ...(percentage === undefined ? {} : { percentage }),
    ...(add.length + remove.length > 0 ? { allowList } : {}),
  }
  if (Object.keys(change).length === 0) {
    return yield* new Misused({
      message: "Give what to set: a percentage, --allow, --disallow, --enable or --disable.",
    })
  }
  return { stage, change } satisfies Change
})

/** The change that the command line of `flags deny` asks for. */
export const toDenyChange = Effect.fnUntraced(function* (options: PeopleOptions & { readonly remove: boolean }) {
  const denied = yield* readPeople(options)
  if (denied === undefined) return yield* new Misused({ message: "Give the people to deny: one user id or more." })
  const denyList = options.remove ? { remove: denied } : { add: denied }
  return { stage: null, change: { denyList } } satisfies Change
})
