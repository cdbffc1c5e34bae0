import type { Provider, RequestKind, RequestMatch } from "../../model.ts"

/** What is known of a request before it is answered. */
export interface Described {
  readonly provider: Provider | null
  readonly person: string | null
  readonly kind: RequestKind
  readonly method: string
  /** With its query string. */
  readonly target: string
}

export const matches = (match: RequestMatch, request: Described): boolean =>
  (match.person === undefined || match.person === request.person) &&
  (match.provider === undefined || match.provider === request.provider) &&
  (match.kind === undefined || match.kind === request.kind) &&
  (match.method === undefined || match.method.toUpperCase() === request.method) &&
  (match.path === undefined || request.target.includes(match.path))
