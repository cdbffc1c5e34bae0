import { eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, person, tokens as tokenRows } from "../../schema/object.ts"
import { nextWarning, reconnectBy } from "../domain/grantLife.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { Outbox } from "./delivery/Outbox.ts"
import { Grants } from "./grants/Grants.ts"
import { TokenEvents } from "./grants/TokenEvents.ts"
import { pollAll } from "./methods.ts"
import { connectedProviders, rearm } from "./person.ts"
import { Poller } from "./polling/Poller.ts"
import { recordPass } from "./polling/statements.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"
import { dueList } from "./schedule.ts"

// What the alarm does.

/** How long what could not be done waits: keeping a grant alive, or a part in which the object died. In milliseconds. */
const retryMs = 3_600_000

/**
 * From so many retries of an alarm on, its parts are done one by one. The alarm itself fails for nothing, so that many have ended with
 * the object's death: of memory, or of processor time. https://developers.cloudflare.com/durable-objects/api/alarms/
 */
const carefulFrom = 3

/** Keeps a grant that could not be kept alive from being tried again at once, whatever the reason. */
const postponeKeepAlive = Effect.fnUntraced(function* (provider: Provider) {
  const { db } = yield* Store
  const retryAt = (yield* Clock.currentTimeMillis) + retryMs
  db.update(tokenRows).set({ retryAt }).where(eq(tokenRows.provider, provider)).run()
})

/** Has a grant that was refused be tried again later. */
const postponeRefused = Effect.fnUntraced(function* (provider: Provider) {
  const { db } = yield* Store
  const refusedRetryAt = (yield* Clock.currentTimeMillis) + retryMs
  db.update(tokenRows).set({ refusedRetryAt }).where(eq(tokenRows.provider, provider)).run()
})

/** Leaves an account alone that the object died with. If a source was being asked, a pass leaves that source alone by itself. */
const postponePoll = Effect.fnUntraced(function* (provider: Provider) {
  const { db, exec } = yield* Store
  const { poll } = yield* Poller
  const ofAccount = eq(accounts.provider, provider)
  const isSourceKnown = (db.select().from(accounts).where(ofAccount).get()?.suspectSource ?? null) !== null
  if (isSourceKnown) return void (yield* poll(provider, "alarm"))
  const now = yield* Clock.currentTimeMillis
  db.update(accounts)
    .set({ retryAt: now + retryMs })
    .where(ofAccount)
    .run()
  exec(recordPass, provider, "alarm", now, 0, "unavailable", 0, 0, 0, 0)
})

const postponeDelivery = Effect.gen(function* () {
  const { db } = yield* Store
  const deliveryRetryAt = (yield* Clock.currentTimeMillis) + retryMs
  db.update(person).set({ deliveryRetryAt, deliveryFailure: "the object died while it delivered" }).run()
})

/** Warns the person, once, that a grant ends by its age. */
const warnOfEnd = Effect.fnUntraced(function* (provider: Provider) {
  const store = yield* Store
  const { grantLifetimes } = yield* Settings
  const events = yield* TokenEvents
  const now = yield* Clock.currentTimeMillis
  const lifetimeMs = grantLifetimes[provider]
  yield* store.transaction(() => {
    const row = store.db.select().from(tokenRows).where(eq(tokenRows.provider, provider)).get()
    const warning = row && nextWarning({ ...row, lifetimeMs }, now)
    const end = reconnectBy(lifetimeMs, row?.authorizedAt ?? null)
    if (!warning || end === null || warning.at > now) return
    const { days: warnedDays } = warning
    store.db.update(tokenRows).set({ warnedDays }).where(eq(tokenRows.provider, provider)).run()
    const left = warnedDays === 1 ? "1 day left" : `${warnedDays} days left`
    events.record(provider, "reconnect_soon", now, `${left}: connect again by ${new Date(end).toISOString()}`)
  })
})

/** Something that an alarm does, and how it is put off if the object dies of it. */
interface Part<R> {
  readonly name: string
  readonly work: Effect.Effect<unknown, unknown, R>
  readonly postpone: Effect.Effect<unknown, never, R>
}

/** Does the parts, noting before each which it is; the one in which the object died the last time is put off. */
const oneByOne = Effect.fnUntraced(function* <R>(parts: ReadonlyArray<Part<R>>) {
  const { db } = yield* Store
  const note = (alarmPart: string | null) => db.update(person).set({ alarmPart }).run()
  const deadly = db.select().from(person).get()?.alarmPart ?? null
  const exits = yield* Effect.forEach(
    parts,
    Effect.fnUntraced(function* ({ name, work, postpone }) {
      if (name === deadly) {
        yield* Effect.logError(`The object died each time in this part of its alarm, which is put off: ${name}`)
        return yield* Effect.exit(postpone)
      }
      note(name)
      return yield* Effect.exit(work)
    }),
  )
  note(null)
  return exits
})

/** Does everything that is due. The platform tries it again, and says for the how-manieth time, when the object died in it. */
export const doWhatIsDue = Effect.fn("doWhatIsDue")(function* (retries: number) {
  const store = yield* Store
  const settings = yield* Settings
  const grants = yield* Grants
  const outbox = yield* Outbox
  const poller = yield* Poller
  const now = yield* Clock.currentTimeMillis
  const isCareful = retries >= carefulFrom
  const due = dueList(store, settings, now).filter(({ at }) => at <= now)
  const connected = yield* connectedProviders
  const isDue = (what: string, provider: Provider) => due.some((one) => one.what === what && one.provider === provider)
  const dueOf = (what: string, among: ReadonlyArray<Provider> = connected) =>
    among.filter((provider) => isDue(what, provider))
  const part = <R>(name: string, work: Part<R>["work"], postpone: Part<R>["postpone"]): Part<R> => ({
    name,
    work,
    postpone,
  })
  const warnings = dueOf("warning").map((provider) =>
    part(`warn of the end of ${provider}'s grant`, warnOfEnd(provider), Effect.void),
  )
  const keepAlives = dueOf("keepAlive").map((provider) => {
    const postpone = postponeKeepAlive(provider)
    return part(
      `keep ${provider}'s grant alive`,
      Effect.catch(grants.refresh(provider), () => postpone),
      postpone,
    )
  })
  const retriesOfRefused = dueOf("retryRefused", providers).map((provider) =>
    part(`try ${provider}'s refused grant`, Effect.exit(grants.retryRefused(provider)), postponeRefused(provider)),
  )
  const toPoll = dueOf("poll")
  const together = toPoll.length > 0 ? [part("poll", pollAll(toPoll, "alarm"), Effect.void)] : []
  const apart = toPoll.map((provider) =>
    part(`poll ${provider}`, poller.poll(provider, "alarm"), postponePoll(provider)),
  )
  const isDeliveryDue = due.some(({ what }) => what === "deliver" || what === "heartbeat")
  const isDelivered = isDeliveryDue || (isCareful && toPoll.length > 0)
  const delivery = isDelivered ? [part("deliver", outbox.deliver, postponeDelivery)] : []
  // In order, and each whatever the outcome of the one before it.
  const parts = [...warnings, ...keepAlives, ...retriesOfRefused, ...(isCareful ? apart : together), ...delivery]
  const exits = isCareful ? yield* oneByOne(parts) : yield* Effect.forEach(parts, ({ work }) => Effect.exit(work))
  yield* Effect.all(exits, { discard: true })
}, Effect.ensuring(rearm))
