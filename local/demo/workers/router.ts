interface RouterEnv {
  readonly GATEWAY: Fetcher
  readonly MIGRATION: Fetcher
  readonly CRON: Fetcher
}

const workerFor = (name: string | null, { GATEWAY, MIGRATION, CRON }: RouterEnv): Fetcher => {
  if (name === "migration" || name === "tend") return MIGRATION
  return name === "cron" ? CRON : GATEWAY
}

/** Hands a request to the worker that its header names, and without one to the gateway. */
export default {
  fetch: (request, env) => workerFor(request.headers.get("pollen-worker"), env).fetch(request),
} satisfies ExportedHandler<RouterEnv>
