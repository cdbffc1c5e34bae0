import type { ServerResponse } from "node:http"
import { type Fault, faultHeader } from "../model.ts"
import { type Answer, bearer, type Call, header, json } from "./answer.ts"
import { faultAnswer } from "./fault.ts"
import { streamHuge } from "./huge.ts"
import { presentedClient } from "./oauth/client.ts"
import { patchAnswer } from "./patch.ts"
import { type Route, routeOf } from "./routes.ts"
import type { Hit } from "./state/faults.ts"
import type { OpenEntry } from "./state/ledger.ts"
import type { Described } from "./state/matching.ts"
import type { World } from "./state/world.ts"

/** Faults after which the client gets nothing that it could take for an answer. */
const losesAnswer = (fault: Fault): boolean => fault.type === "hang" || fault.type === "reset"

/** One request to a provider: written down, perhaps parked, answered or spoilt, and closed in the ledger. */
export const serve = async (world: World, call: Call, target: string, response: ServerResponse): Promise<void> => {
  const route = routeOf(call.path)
  const person = route.person(world, call)
  const described: Described = { provider: route.provider, person, kind: route.kind, method: call.method, target }
  const { ledger } = world
  const open = ledger.open(openingEntry(world, call, route, person))
  const abandoned = new AbortController()
  response.once("close", () => {
    abandoned.abort()
    ledger.close(open)
  })

  await world.gates.park(described, false, abandoned.signal)
  // Who gave up while parked never reached the provider.
  if (abandoned.signal.aborted) return

  const hit = orderedFault(call) ?? world.faults.draw(described)
  // A patch is named by the answer that it changed.
  if (hit !== undefined && hit.fault.type !== "patch") open.entry.fault = hit.fault.type
  const answer = await answerOf(world, call, route, described, hit)
  open.entry.units = answer.units ?? 0
  if (answer.mark !== undefined) open.entry.mark = answer.mark
  if (answer.fault !== undefined) open.entry.fault = answer.fault

  await world.gates.park(described, true, abandoned.signal)
  if (abandoned.signal.aborted) return
  deliver(response, answer, hit?.fault, open, () => ledger.close(open))
}

/** The fault that a request brings along itself, for whoever has to have the same faults again in the same order. */
const orderedFault = (call: Call): Hit | undefined => {
  const ordered = header(call, faultHeader)
  return ordered === null ? undefined : (JSON.parse(ordered) as Hit)
}

const openingEntry = (world: World, call: Call, route: Route, person: string | null) => ({
  at: world.clock.now(),
  provider: route.provider,
  person,
  kind: route.kind,
  method: call.method,
  path: call.path,
  query: Object.fromEntries(call.query),
  conditional: header(call, "if-none-match") !== null,
  ...(call.redirected ? { redirected: true } : {}),
  ...(route.kind === "token" ? tokenFacts(world, call) : {}),
})

const tokenFacts = (world: World, call: Call) => {
  const form = new URLSearchParams(call.body)
  const presented = world.grants.present(form.get("refresh_token") ?? "")
  const clientId = presentedClient(call, form).id
  return {
    ...(clientId === null ? {} : { clientId }),
    grantType: form.get("grant_type") ?? "",
    refreshTokenReused: presented?.reused ?? false,
  }
}

/** What stands for a token endpoint's answer that is cut off before anything took effect. */
const tokenFragment = json(200, { access_token: "", token_type: "Bearer", expires_in: 3600, scope: "" })

/** Faults whose replacement of the answer costs a unit at YouTube. */
const isCharged = ({ type }: Fault): boolean => type === "status" || type === "not_modified"

const unconditional = (call: Call): Call => ({ ...call, headers: { ...call.headers, "if-none-match": undefined } })

const answerOf = async (
  world: World,
  call: Call,
  route: Route,
  described: Described,
  hit: { readonly fault: Fault; readonly afterProcessing: boolean } | undefined,
): Promise<Answer> => {
  if (hit === undefined) return route.answer(world, call)
  if (hit.fault.type === "patch") {
    return patchAnswer(await route.answer(world, unconditional(call)), hit.fault.patch)
  }
  const replacement = faultAnswer(described, call, hit.fault)
  if (hit.fault.type === "slow" || hit.fault.type === "huge" || hit.afterProcessing) {
    const processed = await route.answer(world, call)
    return replacement === undefined ? processed : { ...replacement, units: processed.units ?? 0 }
  }
  if (replacement !== undefined) {
    // Google charges for what it refuses, unless it refuses because there is nothing left to charge.
    const isApi = route.provider === "youtube" && call.path.startsWith("/google/api/youtube/")
    const clientId = world.grants.access(bearer(call) ?? "")?.clientId ?? null
    const charged = isApi && isCharged(hit.fault) && world.limitsOf("youtube", clientId).spend(1)
    return charged ? { ...replacement, units: 1 } : replacement
  }
  if (hit.fault.type !== "truncated") return { status: 0, headers: {}, body: "" }
  return route.kind === "token" ? tokenFragment : route.answer(world, call)
}

const deliver = (
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  open: OpenEntry,
  close: () => void,
): void => {
  if (fault !== undefined && losesAnswer(fault)) {
    // A hanging request stays open until its client, or the simulator, goes away.
    if (fault.type === "reset") response.socket?.resetAndDestroy()
    return
  }
  if (fault?.type === "slow") {
    setTimeout(() => deliver(response, answer, undefined, open, close), fault.ms)
    return
  }
  if (response.destroyed) return
  open.entry.status = answer.status
  const hasBody = answer.status !== 304
  if (fault?.type === "huge" && hasBody) {
    response.writeHead(answer.status, answer.headers)
    const end = fault.end === "garbage" ? "}garbage{" : answer.body
    void streamHuge(response, { bytes: fault.bytes, end, beforeEnd: close })
    return
  }
  const length = Buffer.byteLength(answer.body)
  response.writeHead(answer.status, { ...answer.headers, ...(hasBody ? { "content-length": length } : {}) })
  if (fault?.type === "truncated") {
    const half = Buffer.from(answer.body).subarray(0, Math.floor(length / 2))
    response.write(half, () => response.destroy())
    return
  }
  // Closed before the client can know: what it asks next never seems to overlap with this.
  close()
  response.end(hasBody ? answer.body : undefined)
}
