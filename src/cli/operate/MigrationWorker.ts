import { Context, Effect, Layer, Record, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../../migration/api/Api.ts"
import type { CommandError } from "../exit.ts"
import { refuseProblem, toFailed } from "./answer.ts"
import type { WorkerEndpoint } from "./workerEndpoint.ts"

/** The API of the migration worker as methods; its own definition makes them, so that the two cannot differ. */
const makeClient = Effect.fnUntraced(function* ({ url, headers }: WorkerEndpoint) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.prependUrl(url)),
    HttpClient.mapRequest(HttpClientRequest.setHeaders(Record.map(headers, Redacted.value))),
    HttpClient.transformResponse(Effect.flatMap(refuseProblem(url))),
  )
  return yield* HttpApiClient.makeWith(Api, { httpClient: client })
})

type Client = Effect.Success<ReturnType<typeof makeClient>>

/** The migration worker, as an operator's commands ask it. */
export class MigrationWorker extends Context.Service<
  MigrationWorker,
  {
    readonly url: string
    /** Asks one thing; whatever goes wrong is a sentence for the operator. */
    readonly ask: <A, E>(question: (client: Client) => Effect.Effect<A, E>) => Effect.Effect<A, CommandError>
  }
>()("pollen/cli/MigrationWorker") {
  static readonly layer = (endpoint: WorkerEndpoint): Layer.Layer<MigrationWorker> =>
    Layer.effect(
      MigrationWorker,
      Effect.gen(function* () {
        const client = yield* makeClient(endpoint)
        return {
          url: endpoint.url,
          ask: (question) => Effect.mapError(question(client), (error) => toFailed(endpoint, error)),
        }
      }),
    ).pipe(Layer.provide(FetchHttpClient.layer))
}
