import { HttpApi } from "effect/http-api"
import { Api } from "./api/Api.ts"

const openApiRoute = { method: "GET", path: "/openapi.json" } as const

/** Every route of the gateway. */
const routes: ReadonlyArray<{ readonly method: string; readonly pattern: RegExp }> = (() => {
  const found: Array<{ readonly method: string; readonly path: string }> = [openApiRoute]
  HttpApi.reflect(Api, { onGroup: () => undefined, onEndpoint: ({ endpoint }) => found.push(endpoint) })
  return found.map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`) }))
})()

/** The methods that a path takes; none when nothing is there. */
export const allowedMethods = (pathname: string): ReadonlyArray<string> => [
  ...new Set(routes.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method)),
]
