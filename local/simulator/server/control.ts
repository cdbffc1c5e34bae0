import type { ControlOperations, LimitOwner, OperationName } from "../model.ts"
import { type Answer, type Call, json } from "./answer.ts"
import { seed } from "./seed.ts"
import type { Item } from "./state/catalogue.ts"
import { defaultClient } from "./state/clients.ts"
import { Refusal } from "./state/refusal.ts"
import type { World } from "./state/world.ts"
import { pushedFeed } from "./youtube/feed.ts"
import { pushPublished } from "./youtube/push.ts"

type Operations = {
  readonly [Name in OperationName]: (
    world: World,
    input: ControlOperations[Name]["input"],
  ) => ControlOperations[Name]["output"] | Promise<ControlOperations[Name]["output"]>
}

/** For what is done and has nothing to say. */
const done = (_: unknown): null => null
const references = (items: ReadonlyArray<Item>) => items.map(({ id }) => ({ id }))

const published = (world: World, source: string, items: ControlOperations["publish"]["input"]["items"]) => {
  const made = world.catalogue.publish(source, items)
  pushPublished(world, made)
  return made
}

const limitsOf = (world: World, { provider, developer }: LimitOwner) =>
  developer === undefined ? world.limitsOf(provider, null) : world.limits[provider].of(developer)

const operations: Operations = {
  createPeople: (world, people) => {
    for (const { id, sources } of people) world.library.follow(id, sources ?? [])
    return null
  },
  seed,
  createSources: (world, inputs) => inputs.map((input) => world.catalogue.create(input).id),
  subscribe: (world, { person, sources }) => done(world.library.follow(person, sources)),
  unsubscribe: (world, { person, sources }) => done(world.library.unfollow(person, sources)),
  rename: (world, { source, title }) => done(world.catalogue.rename(source, title)),
  removeSource: (world, { source }) => done(world.catalogue.remove(source)),
  changeSource: (world, { source, ...oddities }) => done(world.catalogue.makeOdd(source, oddities)),
  publish: (world, { source, items }) => references(published(world, source, items)),
  publishMany: (world, publications) =>
    publications.map(({ source, count }) => references(published(world, source, count))),
  pushSubscriptions: (world, { source }) => world.pushes.all().filter((one) => one.source === source),
  push: (world, { source, ids }) => {
    const body = pushedFeed(ids.map((id) => world.catalogue.itemOf(id)))
    world.pushes.send(source, body)
    return { body }
  },
  changeItem: (world, { id, kind }) => done(world.catalogue.change(id, kind)),
  removeItem: (world, { id }) => done(world.catalogue.removeItem(id)),
  removeItems: (world, { source }) => done(world.catalogue.removeItems(source)),
  items: (world, { source }) => world.catalogue.states(source),
  grants: (world, inputs) =>
    inputs.map((input) => {
      const client = world.clients[input.provider].get(input.clientId ?? defaultClient.id)
      return world.grants.grant(input.person, input.provider, { ...input, clientId: client.id })
    }),
  revoke: (world, { person, provider }) => done(world.grants.revoke(person, provider)),
  expireAccessTokens: (world, { person, provider }) => done(world.grants.expireAccessTokens(person, provider)),
  tokenState: (world, { person, provider }) => world.grants.state(person, provider),
  setRotation: (world, { provider, mode, person }) => done(world.grants.setRotation(provider, mode, person)),
  setGrantLifetime: (world, { provider, person, ...lifetime }) => done(world.lifetimes.set(provider, lifetime, person)),
  addClients: (world, { provider, clients }) => done(world.clients[provider].add(clients)),
  removeClient: (world, { provider, id }) => done(world.clients[provider].remove(id)),
  setFaults: (world, rules) => rules.map((rule) => world.faults.add(rule)),
  clearFaults: (world, { ids }) => done(world.faults.clear(ids)),
  randomFaults: (world, input) => world.faults.addRandom(input),
  setQuota: (world, { remaining, ...owner }) => done(limitsOf(world, owner).setQuota(remaining)),
  quota: (world, owner) => limitsOf(world, owner).quota(),
  setRateLimit: (world, { requestsPer30s, ...owner }) => done(limitsOf(world, owner).setRateLimit(requestsPer30s)),
  hold: (world, { match, ...options }) => world.gates.add(match, options),
  release: (world, { id }) => done(world.gates.release(id)),
  waitForHeld: (world, { id, count, timeoutMs }) => world.gates.waitFor(id, count, timeoutMs).then(done),
  waitForRequests: (world, { filter, count, timeoutMs }) => world.ledger.waitFor(filter, count, timeoutMs).then(done),
  ledger: (world, filter) => world.ledger.entries(filter),
  counts: (world, filter) => world.ledger.counts(filter),
  clearLedger: (world, { person }) => done(world.ledger.clear(person)),
  maxConcurrent: (world, filter) => world.ledger.maxConcurrent(filter),
  secrets: (world) => world.secrets,
  now: (world) => world.clock.now(),
  advanceClock: (world, { ms }) => {
    world.clock.advance(ms)
    return world.clock.now()
  },
  setClock: (world, { at }) => {
    world.clock.set(at)
    return world.clock.now()
  },
  reset: (world) => done(world.reset()),
}

const isOperation = (name: string): name is OperationName => Object.hasOwn(operations, name)

const run = <Name extends OperationName>(world: World, name: Name, body: string) =>
  operations[name](world, JSON.parse(body === "" ? "{}" : body) as ControlOperations[Name]["input"])

/** `POST /control/<operation>`: the input as JSON, the output as JSON, a refusal as 400 with `{ "error": string }`. */
export const answerControl = async (world: World, call: Call): Promise<Answer> => {
  const name = call.path.slice("/control/".length)
  if (!isOperation(name) || call.method !== "POST") return json(404, { error: `no operation ${call.method} ${name}` })
  try {
    return json(200, await run(world, name, call.body))
  } catch (error) {
    if (error instanceof Refusal || error instanceof SyntaxError || error instanceof TypeError) {
      return json(400, { error: error.message })
    }
    throw error
  }
}
