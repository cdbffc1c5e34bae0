import { randomBytes } from "node:crypto"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import { startSimulator } from "../../local/simulator/server/start.ts"
import { simulatedProviders } from "../../local/simulator/variables.ts"
import { openStack } from "../../local/stack/openStack.ts"
import { drawFrom, type HabitName, habits, mixed } from "./habits.ts"
import type { SimulatedOperations } from "./operations.ts"

const hour = 3_600_000
const day = 24 * hour

/** How long sources have published before anybody follows them. */
const historyDays = 90

/** Days that pass before anything is counted: the first polls are over, and intervals are what they will be. */
const settlingDays = 9

/** Channels of the hub, about as many as one has: 20 are the person's, the others somebody else's. */
const channelsOfHub = 67

export interface DayOptions {
  readonly seed: number
  readonly days: number
  /** Hours of each day in which no feed of any channel can be read. */
  readonly hoursWithoutFeeds: number
  readonly tell: (progress: string) => void
}

/** What a day costs, in the mean over the days counted. */
export interface Day {
  /** Of the person's object. */
  readonly wakes: number
  readonly rowsWritten: number
  readonly rowsRead: number
  readonly spotifyRequests: number
  readonly libraryUnits: number
  /** Of one channel in its hub. */
  readonly channel: {
    readonly wakes: number
    readonly rowsWritten: number
    readonly rowsRead: number
    readonly units: number
    readonly feeds: number
  }
  /** Items that came into the person's feed. */
  readonly delivered: number
  /** Items that appeared, and of those what has not been delivered within a day. */
  readonly published: number
  readonly missing: number
  /** Hours from publication to delivery, by provider and habit: of each item. */
  readonly delays: Readonly<Record<string, ReadonlyArray<number>>>
}

interface Planned {
  readonly provider: "spotify" | "youtube"
  readonly habit: HabitName
  readonly source: string
  readonly times: ReadonlyArray<number>
}

export const openWorkers = async (url: string, vars: Readonly<Record<string, string>> = {}) => {
  const stack = await openStack({
    workers: [
      {
        configPath: "bench/workers/simulated/wrangler.toml",
        vars: {
          TOKEN_KEYS: `bench:${randomBytes(32).toString("base64")}`,
          ...simulatedProviders(url),
          YOUTUBE_API_KEY: "simulator-key",
          SOURCE_HUBS: "1",
          ...vars,
        },
      },
    ],
    databases: [{ worker: "bench-simulated", binding: "DB" }],
  })
  const ask = async <Name extends keyof SimulatedOperations>(
    name: Name,
    input: SimulatedOperations[Name]["input"],
  ): Promise<SimulatedOperations[Name]["output"]> => {
    const response = await stack.harness
      .getWorker("bench-simulated")
      .fetch(`http://simulated/${name}`, { method: "POST", body: JSON.stringify(input) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${name} answered ${response.status}: ${text.slice(0, 400)}`)
    return JSON.parse(text)
  }
  return { ...stack, ask }
}

/** Makes sources with a past, and plans what they publish from now on. */
const plan = async (simulator: SimulatorClient, seed: number, from: number, to: number) => {
  const kinds = [
    ...mixed.map((habit) => ({ provider: "spotify" as const, habit })),
    ...Array.from({ length: channelsOfHub }, (_, index) => ({
      provider: "youtube" as const,
      habit: mixed[index % mixed.length] ?? "weekly",
    })),
  ]
  const sources = await simulator.createSources(kinds.map(({ provider }) => ({ provider, items: 0 })))
  const planned: Array<Planned> = []
  for (const [index, kind] of kinds.entries()) {
    const source = sources[index] ?? ""
    const times = habits[kind.habit](drawFrom(seed * 1000 + index), from - historyDays * day, to)
    const past = times.filter((time) => time < from).slice(-40)
    if (past.length > 0)
      await simulator.publish(
        source,
        past.map((publishedAt) => ({ publishedAt })),
      )
    planned.push({ ...kind, source, times: times.filter((time) => time >= from) })
  }
  return planned
}

interface DeliveredRow {
  readonly id: string
  readonly deliveredAt: number
}

/** Lets days pass for a person with 20 shows and 20 channels of mixed habits, and counts what each costs. */
export const simulateDays = async ({ seed, days, hoursWithoutFeeds, tell }: DayOptions): Promise<Day> => {
  const { client: simulator, close: closeSimulator } = await startSimulator({
    seed,
    // Spotify gives confidential clients no new refresh token.
    refreshTokenRotation: { spotify: "none" },
  })
  const workers = await openWorkers(simulator.url)
  try {
    const from = Date.now()
    const countFrom = from + settlingDays * day
    const to = countFrom + days * day
    const planned = await plan(simulator, seed, from, to)
    const shows = planned.filter(({ provider }) => provider === "spotify")
    const channels = planned.filter(({ provider }) => provider === "youtube")
    const ada = { id: "ada", sources: [...shows, ...channels.slice(0, mixed.length)].map(({ source }) => source) }
    const bob = { id: "bob", sources: channels.slice(mixed.length).map(({ source }) => source) }
    await simulator.createPeople([ada, bob])
    for (const { id } of [ada, bob]) {
      for (const provider of ["spotify", "youtube"] as const) {
        await workers.ask("connect", { userId: id, provider, tokens: await simulator.grant(id, provider) })
      }
      await workers.ask("poll", { userId: id })
    }
    const people = { users: ["ada", "bob"], hubs: ["youtube:0", "spotify:0"] }
    const countedOf = async (users: ReadonlyArray<string>, hubs: ReadonlyArray<string>) =>
      workers.ask("counts", { users, hubs })
    const events = planned.flatMap((event) => event.times.map((at) => ({ at, event })))
    const ticks = Array.from({ length: (to - from) / hour }, (_, index) => ({
      at: from + (index + 1) * hour,
      event: null,
    }))
    const steps = [...events, ...ticks].toSorted((one, other) => one.at - other.at)
    const published: Array<{ id: string; at: number; name: string; isAdas: boolean }> = []
    const adas = new Set(ada.sources)
    let before: Awaited<ReturnType<typeof countedOf>> | undefined
    let hubBefore = before
    let feedFaults: ReadonlyArray<string> = []
    for (const step of steps) {
      await workers.ask("runUntil", { ...people, until: step.at })
      await simulator.setClock(step.at)
      const hourOfDay = Math.floor((step.at % day) / hour)
      const isOut = hourOfDay >= 24 - hoursWithoutFeeds
      if (isOut && feedFaults.length === 0) {
        feedFaults = await simulator.setFaults([
          { match: { path: "/feeds/videos.xml" }, fault: { type: "status", status: 404 } },
        ])
      } else if (!isOut && feedFaults.length > 0) {
        await simulator.clearFaults(feedFaults)
        feedFaults = []
      }
      if (before === undefined && step.at >= countFrom) {
        before = await countedOf(["ada"], [])
        hubBefore = await countedOf([], ["youtube:0"])
        await simulator.clearLedger()
      }
      const { event } = step
      if (event === null) {
        tell(`day ${Math.floor((step.at - from) / day)} of ${settlingDays + days}`)
        continue
      }
      const [item] = await simulator.publish(event.source, [{ publishedAt: step.at }])
      const name = `${event.provider} ${event.habit}`
      if (item !== undefined && step.at >= countFrom && step.at < to - day) {
        published.push({ id: item.id, at: step.at, name, isAdas: adas.has(event.source) })
      }
    }
    if (before === undefined || hubBefore === undefined) throw new Error("no day has been counted")
    const after = await countedOf(["ada"], [])
    const hubAfter = await countedOf([], ["youtube:0"])
    const spotify = await simulator.counts({ person: "ada", provider: "spotify" })
    const library = await simulator.ledger({ person: "ada", provider: "youtube", kind: "library" })
    const ledger = await simulator.ledger({ provider: "youtube" })
    const ofHub = ledger.filter(({ person }) => person === null)
    const { results } = await workers.database
      .prepare("SELECT external_id AS id, delivered_at AS deliveredAt FROM user_feed_items WHERE user_id = 'ada'")
      .all<DeliveredRow>()
    const deliveredAt = new Map(results.map((row) => [row.id, row.deliveredAt]))
    const theirs = published.filter(({ isAdas }) => isAdas)
    const delays: Record<string, Array<number>> = {}
    let missing = 0
    for (const { id, at, name } of theirs) {
      const delivered = deliveredAt.get(id)
      if (delivered === undefined) missing += 1
      else delays[name] = [...(delays[name] ?? []), (delivered - at) / hour]
    }
    const isFeed = ({ path }: { readonly path: string }) => path.endsWith("/feeds/videos.xml")
    const perDay = (count: number) => count / days
    const perChannel = (count: number) => count / days / channelsOfHub
    return {
      wakes: perDay(after.wakes - before.wakes),
      rowsWritten: perDay(after.rowsWritten - before.rowsWritten),
      rowsRead: perDay(after.rowsRead - before.rowsRead),
      spotifyRequests: perDay(spotify.total),
      libraryUnits: perDay(library.length),
      channel: {
        wakes: perChannel(hubAfter.wakes - hubBefore.wakes),
        rowsWritten: perChannel(hubAfter.rowsWritten - hubBefore.rowsWritten),
        rowsRead: perChannel(hubAfter.rowsRead - hubBefore.rowsRead),
        units: perChannel(ofHub.filter((entry) => !isFeed(entry)).length),
        feeds: perChannel(ofHub.filter(isFeed).length),
      },
      delivered: perDay(results.filter((row) => row.deliveredAt >= countFrom).length),
      published: theirs.length,
      missing,
      delays,
    }
  } finally {
    await workers.close()
    await closeSimulator()
  }
}
