import { type GrantLifetime, sixMonthsSeconds } from "../../model/lifetimes.ts"
import type { Provider } from "../../model.ts"
import type { Clock } from "./clock.ts"

/** What decides whether a grant has ended. Times are epoch milliseconds. */
export interface GrantAge {
  readonly person: string
  readonly provider: Provider
  readonly authorizedAt: number
  readonly usedAt: number
}

const usual: Readonly<Record<Provider, GrantLifetime>> = {
  spotify: { sinceAuthorizationSeconds: sixMonthsSeconds },
  youtube: { unusedSeconds: sixMonthsSeconds },
}

/** How long grants can be refreshed at each provider, and for some people. */
export class GrantLifetimes {
  private readonly common: Record<Provider, GrantLifetime>
  private readonly personal = new Map<string, GrantLifetime>()
  private readonly clock: Clock

  constructor(clock: Clock, told: { readonly [P in Provider]?: GrantLifetime }) {
    this.clock = clock
    this.common = {
      spotify: { ...usual.spotify, ...told.spotify },
      youtube: { ...usual.youtube, ...told.youtube },
    }
  }

  set(provider: Provider, lifetime: GrantLifetime, person?: string): void {
    if (person === undefined) {
      this.common[provider] = { ...this.common[provider], ...lifetime }
    } else {
      const key = `${provider} ${person}`
      this.personal.set(key, { ...this.personal.get(key), ...lifetime })
    }
  }

  hasEnded({ person, provider, authorizedAt, usedAt }: GrantAge): boolean {
    const lifetime = { ...this.common[provider], ...this.personal.get(`${provider} ${person}`) }
    return this.isOver(authorizedAt, lifetime.sinceAuthorizationSeconds) || this.isOver(usedAt, lifetime.unusedSeconds)
  }

  private isOver(from: number, seconds: number | null | undefined): boolean {
    return seconds !== null && seconds !== undefined && this.clock.now() >= from + seconds * 1000
  }
}
