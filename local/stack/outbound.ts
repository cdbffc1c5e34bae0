import { Effect } from "effect"

/** Reads as much of a body as arrives. */
const readWhatArrives = async (body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Array<Uint8Array> = []
  const collect = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) })
  await body.pipeTo(collect).catch(() => undefined)
  return Buffer.concat(chunks)
}

/** Tells whether wrangler asks on behalf of a worker: it passes a whole request in place of options. */
const isForWorker = (init: RequestInit | undefined): boolean => init !== undefined && "url" in init

/**
 * Workers in a test harness ask the world through this process's `fetch`, and wait for ever for the rest of a body that breaks off,
 * where a deployed one is told. So a body is read to its end here, whatever that is, and handed on as the whole.
 */
export const handOnBrokenBodies = Effect.acquireRelease(
  Effect.sync(() => {
    const live = globalThis.fetch
    globalThis.fetch = async (input, init) => {
      const response = await live(input, init)
      if (!isForWorker(init) || response.body === null) return response
      const headers = new Headers(response.headers)
      headers.delete("content-length")
      return new Response(await readWhatArrives(response.body), { status: response.status, headers })
    }
    return live
  }),
  (live) =>
    Effect.sync(() => {
      globalThis.fetch = live
    }),
)
