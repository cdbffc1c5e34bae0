import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { type Gateway, makeGateway } from "../../src/gateway/makeGateway.ts"

export const gatewayEnv = { CORE: exports.GatewayEntrypoint, DB: env.DB, GATEWAY_KEY: env.GATEWAY_KEY }
const live = makeGateway(gatewayEnv)

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** A request to the gateway, and what it says when everything that it left running is done. */
export const ask = async (path: string, init: RequestInit = {}, gateway: Gateway = live): Promise<Answer> => {
  const context = createExecutionContext()
  const response = await gateway(new Request(`https://gateway.test${path}`, init), context)
  const text = await response.text()
  await waitOnExecutionContext(context)
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) }
}

/** Somebody with a bearer token of their own. */
export class Visitor {
  readonly id: string

  constructor(id: string = `visitor-${crypto.randomUUID()}`) {
    this.id = id
  }

  bearer() {
    return issueBearer(env.GATEWAY_KEY, this.id)
  }

  async request(method: string, path: string, init: { body?: unknown; headers?: Record<string, string> } = {}) {
    return new Request(`https://gateway.test${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.bearer()}`, "content-type": "application/json", ...init.headers },
      ...(init.body === undefined
        ? {}
        : { body: typeof init.body === "string" ? init.body : JSON.stringify(init.body) }),
    })
  }

  async ask(
    method: string,
    path: string,
    init: { body?: unknown; headers?: Record<string, string>; gateway?: Gateway } = {},
  ): Promise<Answer> {
    const request = await this.request(method, path, init)
    return ask(path, request, init.gateway)
  }

  get(path: string, gateway?: Gateway) {
    return this.ask("GET", path, gateway === undefined ? {} : { gateway })
  }

  /** The response as it comes, for one that is a stream. */
  async stream(method: string, path: string, headers: Record<string, string>) {
    const context = createExecutionContext()
    const response = await live(await this.request(method, path, { headers }), context)
    return { response, settled: () => waitOnExecutionContext(context) }
  }
}
