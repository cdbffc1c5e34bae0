import { Context, Effect, Layer, Record, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../../migration/api/Api.ts"
import type { CommandError } from "../exit.ts"
import { refuseProblem, toFailed } from "./answer.ts"
import type { WorkerEndpoint } from "./workerEndpoint.ts"

/** Notes that a request was sent: what goes wrong before that is wrong with the request itself. */
const Sending = Context.Reference<{ readonly note: () => void }>("pollen/cli/Sending", {
  defaultValue: () => ({ note: () => undefined }),
})

/** The API of the migration worker as methods. They are derived from its definition, so the two cannot differ. */
const makeClient = Effect.fnUntraced(function* ({ url, headers }: WorkerEndpoint) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.prependUrl(url)),
    HttpClient.mapRequest(HttpClientRequest.setHeaders(Record.map(headers, Redacted.value))),
    HttpClient.tapRequest(() => Effect.map(Sending, ({ note }) => note())),
    HttpClient.transformResponse(Effect.flatMap(refuseProblem(url))),
  )
  return yield* HttpApiClient.makeWith(Api, { httpClient: client })
})

export type Client = Effect.Success<ReturnType<typeof makeClient>>

/** The migration worker, as the commands of operators ask it. */
export class MigrationWorker extends Context.Service<
  MigrationWorker,
  {
    readonly url: string
    /** Sends one request; the error is a sentence for the operator, whatever goes wrong. */
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
          ask: (question) =>
            Effect.suspend(() => {
              let isSent = false
              const note = () => {
                isSent = true
              }
              return question(client).pipe(
                Effect.provideService(Sending, { note }),
                Effect.mapError((error) => toFailed(endpoint, error, isSent)),
              )
            }),
        }
      }),
    ).pipe(Layer.provide(FetchHttpClient.layer))
}
