import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import type { ItemKind, Provider } from "../../local/simulator/model.ts"
import { providers } from "../../src/domain/provider.ts"
import type { SourceHub } from "../../src/hub/SourceHub.ts"
import { simulator } from "../object/person.ts"
import { PersonInMove } from "../object/personInMove.ts"
import { clock, settings } from "../worker.ts"
import { connectionOf, type Happening, type Source } from "./chronicle.ts"
import type { Trouble } from "./trouble.ts"

export const minute = 60_000
export const hour = 60 * minute

const now = () => Date.now() + clock.aheadMs

/** Hubs that share all sources of a campaign, at most. */
export const mostHubs = 3

/** Hubs by their names. They look after channels where there is a key, and have listings of shows in any case. */
export const hubStubs = () => {
  const { HUBS } = env
  if (HUBS === undefined) throw new Error("No hubs are bound")
  return providers.flatMap((provider) =>
    Array.from({ length: mostHubs }, (_, index) => HUBS.get(HUBS.idFromName(`${provider}:${index}`))),
  )
}

/** Objects that are evicted, killed and looked through, by class: a further class of objects is one more list here. */
const classes: ReadonlyArray<(world: World) => ReadonlyArray<Stub>> = [
  ({ people }) => people.map(({ stub }) => stub),
  ({ hasHubs }) => (hasHubs ? hubStubs() : []),
]

const tablesOfHub = ["hub", "watched", "subscriptions", "items", "outbox", "set_aside", "listings"]

/** Hubs know nothing of what there was before. `hasHubs`: whether they look after channels from now on. */
export const beginHubs = async (hasHubs: boolean) => {
  for (const stub of hubStubs()) {
    await runInDurableObject(stub, async (_instance, { storage }) => {
      for (const table of tablesOfHub) storage.sql.exec(`DELETE FROM ${table}`)
      await storage.deleteAlarm()
    })
    await evictDurableObject(stub)
  }
  settings.SOURCE_HUBS = "2"
  if (hasHubs) settings.YOUTUBE_API_KEY = "campaign-key"
  else delete settings.YOUTUBE_API_KEY
}

/** A source has at most so many items: as many as a first poll delivers, so that none may be left out of a feed as archive. */
const mostItems = 20

/** What people asked for and were not told was done: they ask again. */
type Wish = "connect" | "remove"

/** Two people who follow shows and channels in common, their sources, and what happened. */
export class World {
  readonly happenings: Array<Happening> = []
  readonly people: ReadonlyArray<PersonInMove> = [new PersonInMove(), new PersonInMove()]
  readonly wishes = new Map<
    string,
    { readonly person: PersonInMove; readonly provider: Provider; readonly wish: Wish }
  >()
  readonly toForget = new Set<PersonInMove>()
  readonly movers = new Set<PersonInMove>()
  /** Defects that a caller got to see. */
  readonly defects: Array<string> = []
  sources: ReadonlyArray<Source> = []
  /** Whether hubs look after channels. */
  readonly hasHubs: boolean
  readonly trouble: Trouble
  readonly #sizes = new Map<string, number>()
  readonly #published: Array<string> = []

  constructor(trouble: Trouble, hasHubs: boolean) {
    this.trouble = trouble
    this.hasHubs = hasHubs
  }

  /** `isInDatabase`: the second person's grants are in D1, as before the move. */
  async begin({ isInDatabase }: { readonly isInDatabase: boolean }) {
    const providers = ["spotify", "spotify", "youtube", "youtube"] as const
    const ids = await simulator.createSources(providers.map((provider) => ({ provider })))
    this.sources = providers.map((provider, index) => ({ provider, id: ids[index] ?? "" }))
    await Promise.all(ids.map((id) => this.publish(id, 2)))
    const [ann, bob] = this.people
    if (ann === undefined || bob === undefined) return
    await Promise.all([this.follow(ann, ...ids), this.follow(bob, ids[0] ?? "", ids[2] ?? "")])
    const connecting = [this.connect(ann, "spotify"), this.connect(ann, "youtube")]
    if (isInDatabase) connecting.push(this.putIntoDatabase(bob))
    else connecting.push(this.connect(bob, "spotify"))
    await Promise.all(connecting)
  }

  async putIntoDatabase(person: PersonInMove) {
    await person.hasInDatabase("spotify")
    this.happenings.push({ type: "connected", person: person.id, provider: "spotify" })
    this.movers.add(person)
  }

  async publish(source: string, count: number, kind: ItemKind = "normal") {
    const size = this.#sizes.get(source) ?? 0
    const room = Math.min(count, mostItems - size)
    if (room <= 0) return
    this.#sizes.set(source, size + room)
    const items = Array.from({ length: room }, (_, index) => ({ kind, publishedAt: now() + index }))
    for (const { id } of await simulator.publish(source, items)) {
      this.#published.push(id)
      this.happenings.push({ type: "published", source, item: id })
    }
  }

  async withdraw(index: number) {
    const item = this.#published.at(index % this.#published.length)
    if (item === undefined) return
    this.#published.splice(this.#published.indexOf(item), 1)
    await simulator.removeItem(item)
    this.happenings.push({ type: "withdrawn", item })
  }

  async follow(person: PersonInMove, ...sources: ReadonlyArray<string>) {
    await simulator.createPeople([{ id: person.id, sources: [...sources] }])
    for (const source of sources) this.happenings.push({ type: "followed", person: person.id, source })
  }

  async unfollow(person: PersonInMove, source: string) {
    await simulator.unsubscribe(person.id, source)
    this.happenings.push({ type: "unfollowed", person: person.id, source })
  }

  isFollowing(person: PersonInMove, source: string) {
    const last = this.happenings.findLast(
      (one) => "person" in one && one.person === person.id && "source" in one && one.source === source,
    )
    return last?.type === "followed"
  }

  connection(person: PersonInMove, provider: Provider) {
    return connectionOf(this.happenings, person.id, provider)
  }

  async revoke(person: PersonInMove, provider: Provider) {
    await simulator.revoke(person.id, provider)
    this.happenings.push({ type: "revoked", person: person.id, provider })
  }

  async connect(person: PersonInMove, provider: Provider) {
    this.#wish(person, provider, "connect")
    await this.attempt(person.connects(provider))
    this.#granted(person, provider)
    this.happenings.push({ type: "connected", person: person.id, provider })
  }

  async remove(person: PersonInMove, provider: Provider) {
    this.#wish(person, provider, "remove")
    await this.attempt(person.removeToken(provider))
    this.#granted(person, provider)
    this.happenings.push({ type: "removed", person: person.id, provider })
  }

  async forget(person: PersonInMove) {
    this.toForget.add(person)
    await this.attempt(person.forget())
    this.toForget.delete(person)
    for (const key of [...this.wishes.keys()]) if (key.startsWith(person.id)) this.wishes.delete(key)
    this.movers.delete(person)
    this.happenings.push({ type: "forgotten", person: person.id })
  }

  #wish(person: PersonInMove, provider: Provider, wish: Wish) {
    this.wishes.set(`${person.id} ${provider}`, { person, provider, wish })
  }

  #granted(person: PersonInMove, provider: Provider) {
    this.wishes.delete(`${person.id} ${provider}`)
  }

  /** Waits for what a caller asked for. An expected failure is thrown on; a defect is written down. */
  async attempt<A>(asked: Promise<A>): Promise<A> {
    return asked.catch((problem: unknown) => {
      const tag = problem instanceof Error ? problem.name : String(problem)
      if (tag === "InternalError") this.defects.push(String(problem))
      throw problem
    })
  }

  /** Every object of this world, of every class. */
  get objects() {
    return classes.flatMap((objectsOf) => objectsOf(this))
  }

  /** Fires the alarms that are due. Returns whether there was any. */
  async tick() {
    let isAny = false
    for (const stub of this.objects) {
      const at = await alarmOf(stub)
      if (at === null || at > now()) continue
      isAny = true
      await fire(stub)
    }
    return isAny
  }
}

type Stub = PersonInMove["stub"] | DurableObjectStub<SourceHub>

/** What is wanted of an object of either class. */
interface Alarmed {
  readonly alarm: (info: AlarmInvocationInfo) => Promise<void>
}

/** Does something inside an object, whichever class it is of. */
const inside = <A>(stub: Stub, work: (object: Alarmed, state: DurableObjectState) => A | Promise<A>) =>
  runInDurableObject(stub as DurableObjectStub<SourceHub>, (object, state) => work(object, state))

const alarmOf = (stub: Stub) => inside(stub, (_instance, { storage }) => storage.getAlarm())

/** Fires an alarm as the platform does: it is gone when its handler begins, and the object may die in it. */
export const fire = (stub: Stub) =>
  inside(stub, async (object, { storage }) => {
    await storage.deleteAlarm()
    await object.alarm({ isRetry: false, retryCount: 0, scheduledTime: now() })
  })

/** The platform fires an alarm twice at once, or again after it was done. */
export const fireTwice = (stub: Stub, isAtOnce: boolean) =>
  inside(stub, async (object) => {
    const once = () => object.alarm({ isRetry: true, retryCount: 1, scheduledTime: now() })
    if (isAtOnce) return void (await Promise.all([once(), once()]))
    await once()
    await once()
  })

/** Takes an object out of memory. Only one that runs can be. */
export const evict = async (stub: Stub) => {
  await alarmOf(stub)
  await evictDurableObject(stub)
}

/** The object is gone, and its alarm with it. */
export const loseAlarm = async (stub: Stub) => {
  await inside(stub, (_instance, { storage }) => storage.deleteAlarm())
  await evictDurableObject(stub)
}
