import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { hubOf } from "../../src/domain/hub.ts"
import { Person, simulator } from "../object/person.ts"
import { clock, settings } from "../worker.ts"

/** From now on hubs look after channels, so many of them: to be called before any object or hub is made. */
export const withHubs = (hubs = 100_000) => {
  settings.YOUTUBE_API_KEY = "test-key"
  settings.SOURCE_HUBS = String(hubs)
}

export const withoutHubs = () => {
  delete settings.YOUTUBE_API_KEY
}

/** The hub that looks after a channel. */
export class ChannelHub {
  readonly channel: string

  constructor(channel: string) {
    this.channel = channel
  }

  get stub() {
    const { HUBS } = env
    if (HUBS === undefined) throw new Error("No hubs are bound")
    return HUBS.get(HUBS.idFromName(hubOf("youtube", this.channel, Number(settings.SOURCE_HUBS))))
  }

  sql(statement: string, ...bindings: Array<SqlStorageValue>) {
    return runInDurableObject(this.stub, (_instance, { storage }) => storage.sql.exec(statement, ...bindings).toArray())
  }

  alarmAt() {
    return runInDurableObject(this.stub, (_instance, { storage }) => storage.getAlarm())
  }

  evict() {
    return evictDurableObject(this.stub)
  }

  /** Moves the clock to the alarm, as often as is said, and fires it. */
  async wakes(times = 1) {
    for (let done = 0; done < times; done += 1) {
      const at = await this.alarmAt()
      if (at === null) throw new Error("The hub has no alarm")
      clock.aheadMs = Math.max(clock.aheadMs, at - Date.now())
      await runDurableObjectAlarm(this.stub)
    }
  }

  /** Wakes until the condition holds: for more than a week, in which every channel is listed by the API as well. */
  async wakesUntil(isDone: () => Promise<boolean>) {
    for (let wakes = 0; wakes < 150 && !(await isDone()); wakes += 1) await this.wakes()
  }
}

export const makeChannel = (items = 5) => simulator.createSource({ provider: "youtube", items })

/** Somebody who follows these channels, and whose first poll is over. */
export const follower = async (...channels: ReadonlyArray<string>) => {
  const person = await new Person().follows(...channels)
  await person.connects("youtube")
  await person.pollNow()
  return person
}

/** The ids of published items. */
export const publish = async (channel: string, count = 1) =>
  (await simulator.publish(channel, count)).map(({ id }) => id)

/** The last request of all so far. */
export const lastRequest = async () => (await simulator.ledger({})).at(-1)?.seq ?? 0

interface Concerned {
  readonly channels: ReadonlyArray<string>
  readonly people?: ReadonlyArray<Person>
  readonly videos?: ReadonlyArray<string>
}

/** What has been asked about these since a request, tokens aside, by the last part of its path. Other files ask the same simulator. */
export const askedSince = async (seq: number, { channels, people = [], videos = [] }: Concerned) => {
  const counts: Record<string, number> = {}
  const isAbout = (query: Readonly<Record<string, string>>) =>
    channels.some((id) => query["channel_id"] === id || query["playlistId"] === id.replace(/^UC/, "UU")) ||
    query["id"]?.split(",").some((id) => videos.includes(id)) === true
  for (const entry of await simulator.ledger({})) {
    const isTheirs = people.some(({ id }) => id === entry.person)
    if (entry.seq <= seq || entry.kind === "token" || !(isTheirs || isAbout(entry.query))) continue
    const name = entry.path.split("/").at(-1) ?? ""
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** Everything in a feed, in no order. */
export const idsIn = async (person: Person) => (await person.feed()).map(({ id }) => id).sort()

export const hasNew = (person: Person) => async () => (await person.newIds()).length > 0
