import { Effect } from "effect"
import { hubOf } from "../domain/hub.ts"
import { Hubs } from "../object/polling/Hubs.ts"
import { Settings } from "../object/Settings.ts"
import { Store } from "../object/Store.ts"
import { deliver } from "./delivery.ts"
import { Hub, provider } from "./Hub.ts"
import * as statements from "./statements.ts"
import { lookByApi } from "./wake.ts"

/**
 * Hands over the sources that are another hub's since `SOURCE_HUBS` was changed. The other hub knows them first, and then this one looks
 * for the last time, so that nothing falls between the two; what both find, D1 has once. Whatever does not succeed stays for the next wake.
 */
export const handOver = Effect.gen(function* () {
  const store = yield* Store
  const hub = yield* Hub
  const hubs = yield* Hubs
  const settings = yield* Settings
  const sources = store.rows<statements.HubSource>(statements.selectSources, provider)
  const foreign = sources.filter(({ sourceId }) => hubOf(provider, sourceId, settings.hubs) !== hub.name)
  if (foreign.length === 0) return
  const ids = foreign.map(({ sourceId }) => sourceId)
  // Not while this hub does anything else: the other one may be handing sources over to this one.
  const answers = yield* hubs.watch(provider, ids, { isRequested: false })
  const known = new Set(answers.flatMap(({ sourceId, isWatched }) => (isWatched ? [sourceId] : [])))
  const last = Effect.gen(function* () {
    const looked = yield* lookByApi(foreign.filter(({ sourceId }) => known.has(sourceId)))
    yield* deliver
    if (store.rows("SELECT 1 FROM outbox LIMIT 1").length > 0) return
    yield* store.transaction(() => {
      for (const [sourceId, items] of looked) {
        if (items === null) continue
        for (const statement of statements.deleteSource) store.exec(statement, sourceId)
      }
    })
  })
  yield* hub.alone(last)
})
