import { HttpApi, type HttpApiGroup } from "effect/http-api"

const openApiRoute = { method: "GET", path: "/openapi.json" } as const

/** Returns a function that gives the methods that a path of an API accepts; none for a path without a route. */
export const allowedMethodsOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
): ((pathname: string) => ReadonlyArray<string>) => {
  const found: Array<{ readonly method: string; readonly path: string }> = [openApiRoute]
  HttpApi.reflect(api, { onGroup: () => undefined, onEndpoint: ({ endpoint }) => found.push(endpoint) })
  const routes = found.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`),
  }))
  return (pathname) => [...new Set(routes.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method))]
}
