import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Readable } from "node:stream"
import { buffer } from "node:stream/consumers"
import { pipeline } from "node:stream/promises"
import { Effect } from "effect"

/** What of `fetch` is needed to hand a request on. */
type Fetch = (
  url: string,
  init: { readonly method: string; readonly headers: Array<[string, string]>; readonly body?: Buffer<ArrayBuffer> },
) => Promise<{
  readonly status: number
  readonly headers: Iterable<readonly [string, string]>
  readonly body: Body | null
}>

/** What of a stream is needed to read it: the streams of wrangler and of the platform are of different types. */
interface Body {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
    cancel(): Promise<void>
  }
}

const chunksOf = async function* (body: Body): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (value !== undefined) yield value
    }
  } finally {
    // Whoever has asked may be gone before the end.
    await reader.cancel()
  }
}

/** These concern one connection alone (RFC 9110, 7.6.1), and the next one makes its own. */
const ofConnection = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "host", "expect"])

/** `fetch` has decoded the body. */
const ofCoding = new Set(["content-encoding", "content-length", "transfer-encoding"])

const headersOf = ({ headers }: IncomingMessage): Array<[string, string]> =>
  Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || ofConnection.has(name) ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
  )

const answer = async (fetch: Fetch, request: IncomingMessage, response: ServerResponse) => {
  const hasBody = request.method !== "GET" && request.method !== "HEAD"
  const { status, headers, body } = await fetch(`http://${request.headers.host ?? "localhost"}${request.url ?? "/"}`, {
    method: request.method ?? "GET",
    headers: headersOf(request),
    ...(hasBody ? { body: await buffer(request) } : {}),
  })
  response.writeHead(status, Object.fromEntries([...headers].filter(([name]) => !ofCoding.has(name))))
  if (body === null) response.end()
  else await pipeline(Readable.from(chunksOf(body)), response)
}

/** Opens a port of this machine for a worker that is not the first of its stack, which alone gets one, and returns its URL. */
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
