import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { SimulatorClient } from "../client.ts"
import type { SimulatorOptions } from "../model.ts"
import type { Call } from "./answer.ts"
import { answerControl } from "./control.ts"
import { withoutMark } from "./redirect.ts"
import { serve } from "./serve.ts"
import { World } from "./state/world.ts"

export interface Simulator {
  /** For example `http://127.0.0.1:8799`. */
  readonly url: string
  readonly client: SimulatorClient
  /** Ends at once, requests that hang or are held included. */
  close(): Promise<void>
}

/** The simulator could not start; `cause` is the system's error. */
export class SimulatorStartError extends Error {
  override readonly name = "SimulatorStartError"
}

/** Starts both providers on one port of 127.0.0.1. Rejects with `SimulatorStartError` where the port is taken. */
export const startSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  const world = new World(options)
  const server = createServer((request, response) => {
    receive(world, request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy()
      response.writeHead(500, { "content-type": "application/json" })
      response.end(JSON.stringify({ error: error instanceof Error ? error.stack : String(error) }))
    })
  })
  // Clients keep connections for as long as they like: a reset must come from a fault and from nothing else.
  server.keepAliveTimeout = 0
  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return { url, client: new SimulatorClient(url), close: () => close(server) }
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const problem = cause.code === "EADDRINUSE" ? `port ${port} of 127.0.0.1 is taken` : cause.message
      reject(new SimulatorStartError(`The simulator cannot start: ${problem}`, { cause }))
    })
    server.listen(port, "127.0.0.1", resolve)
  })

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  if (request.method === "GET" || request.method === "HEAD") return ""
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const receive = async (world: World, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { target, redirected } = withoutMark(request.url ?? "/")
  const question = target.indexOf("?")
  const call: Call = {
    method: request.method ?? "GET",
    path: question === -1 ? target : target.slice(0, question),
    query: new URLSearchParams(question === -1 ? "" : target.slice(question + 1)),
    headers: request.headers,
    body: await bodyOf(request),
    base: `http://${request.headers.host ?? "127.0.0.1"}`,
    redirected,
  }
  if (!call.path.startsWith("/control/")) return serve(world, call, target, response)
  const answer = await answerControl(world, call)
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}
