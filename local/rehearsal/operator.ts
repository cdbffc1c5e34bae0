import { Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { MigrationWorker } from "../../src/cli/operate/MigrationWorker.ts"
import { Workers } from "./Workers.ts"

/** The migration worker, asked as the operator's commands ask it, with the admin credential. */
export const operator = (adminToken: string): Layer.Layer<MigrationWorker, never, Workers> =>
  Layer.unwrap(
    Effect.map(Workers, ({ toMigration }) => {
      const endpoint = {
        url: "http://pollen-migration",
        isLocal: true,
        headers: { authorization: Redacted.make(`Bearer ${adminToken}`) },
      }
      const send: typeof fetch = async (input, init) => {
        const request = new Request(input, init)
        const answer = await toMigration(request.url, {
          method: request.method,
          headers: Object.fromEntries(request.headers),
          body: request.body === null ? null : await request.text(),
          signal: request.signal,
        })
        return new Response(await answer.text(), {
          status: answer.status,
          headers: { "content-type": "application/json" },
        })
      }
      return MigrationWorker.layer(endpoint).pipe(Layer.provide(Layer.succeed(FetchHttpClient.Fetch, send)))
    }),
  )
