import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Readable } from "node:stream"
import { buffer } from "node:stream/consumers"
import { pipeline } from "node:stream/promises"
import { Effect } from "effect"
import type { TestHarness } from "wrangler"

type Fetch = ReturnType<TestHarness["getWorker"]>["fetch"]

const headersOf = ({ headers }: IncomingMessage): Array<[string, string]> =>
  Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
  )

const answer = async (fetch: Fetch, request: IncomingMessage, response: ServerResponse) => {
  const hasBody = request.method !== "GET" && request.method !== "HEAD"
  const { status, headers, body } = await fetch(`http://pollen-migration${request.url ?? "/"}`, {
    method: request.method ?? "GET",
    headers: headersOf(request),
    ...(hasBody ? { body: await buffer(request) } : {}),
  })
  response.writeHead(status, Object.fromEntries(headers))
  if (body === null) response.end()
  else await pipeline(Readable.fromWeb(body), response)
}

/** A port of this machine for a worker that is not the first of its stack, which alone gets one. The port is any that is free. */
export const openHttpForwarder = Effect.fn("openHttpForwarder")(function* (fetch: Fetch) {
  const server = createServer((request, response) => {
    answer(fetch, request, response).catch(() => response.destroy())
  })
  const listen = Effect.callback<string>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(`http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`))
    })
  })
  const close = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  return yield* Effect.acquireRelease(listen, () => close)
})
