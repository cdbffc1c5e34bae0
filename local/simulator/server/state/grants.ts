import type { Grant, GrantInput, Provider, Rotation, TokenState } from "../../model.ts"
import { defaultClient } from "./clients.ts"
import type { Clock } from "./clock.ts"
import type { GrantAge, GrantLifetimes } from "./grantLifetimes.ts"
import type { Random } from "./random.ts"
import { tokenPrefix } from "./tokenText.ts"

export interface AccessToken {
  readonly person: string
  readonly provider: Provider
  /** The client that it was issued to. */
  readonly clientId: string
  readonly scope: ReadonlyArray<string>
  /** Epoch milliseconds. */
  expiresAt: number
  revoked: boolean
}

/** What a person once allowed. Its tokens replace one another; other consents of the same person are apart from it. */
interface Consent extends GrantAge {
  readonly clientId: string
  readonly scope: ReadonlyArray<string>
  /** A client with a secret got it by code: a refresh without the secret is refused. */
  readonly confidential: boolean
  /** Epoch milliseconds of the last refresh, or of the consent. */
  usedAt: number
  /** In order of issue. */
  valid: Array<string>
}

interface RefreshToken {
  readonly consent: Consent
  /** A newer one was given out for it. */
  exchanged: boolean
}

interface History {
  reuses: number
  refreshes: number
  newest: string | null
  readonly consents: Array<Consent>
  readonly accessTokens: Array<AccessToken>
}

export interface Presented {
  readonly person: string
  readonly provider: Provider
  readonly clientId: string
  readonly confidential: boolean
  readonly valid: boolean
  readonly reused: boolean
}

export interface Refreshed {
  readonly accessToken: string
  readonly scope: ReadonlyArray<string>
  readonly refreshToken: string | null
}

const defaultScopes: Record<Provider, ReadonlyArray<string>> = {
  spotify: ["user-library-read", "user-read-playback-position"],
  youtube: ["https://www.googleapis.com/auth/youtube.readonly"],
}

/** The tokens: who may do what until when. */
export class Grants {
  /** Of access tokens, in seconds. */
  readonly lifetimeSeconds: number
  private readonly rotation: Record<Provider, Rotation>
  private readonly personalRotation = new Map<string, Rotation>()
  private readonly secrets: Array<string>
  private readonly accessTokens = new Map<string, AccessToken>()
  private readonly refreshTokens = new Map<string, RefreshToken>()
  private readonly histories = new Map<string, History>()
  private readonly lifetimes: GrantLifetimes
  private readonly clock: Clock
  private readonly random: Random

  /** `secrets` receives every token issued; it outlives this object. */
  constructor(
    clock: Clock,
    random: Random,
    secrets: Array<string>,
    lifetimeSeconds: number,
    rotation: Record<Provider, Rotation>,
    lifetimes: GrantLifetimes,
  ) {
    this.lifetimes = lifetimes
    this.clock = clock
    this.random = random
    this.secrets = secrets
    this.lifetimeSeconds = lifetimeSeconds
    this.rotation = { ...rotation }
  }

  /** Of everybody at a provider, or of one person there. */
  setRotation(provider: Provider, mode: Rotation, person?: string): void {
    if (person === undefined) this.rotation[provider] = mode
    else this.personalRotation.set(`${provider} ${person}`, mode)
  }

  /** `offline: false` gives no refresh token, as Google does without `access_type=offline` and `prompt=consent`. */
  grant(
    person: string,
    provider: Provider,
    { scope, expiresInSeconds, authorizedAt = this.clock.now(), clientId = defaultClient.id }: GrantInput,
    { confidential = false, offline = true } = {},
  ): Grant {
    const history = this.history(person, provider)
    const consent: Consent = {
      ...{ person, provider, clientId, confidential, authorizedAt },
      scope: scope ?? defaultScopes[provider],
      usedAt: authorizedAt,
      valid: [],
    }
    history.consents.push(consent)
    const accessToken = this.issueAccess(consent, expiresInSeconds ?? this.lifetimeSeconds)
    const refreshToken = offline ? this.issueRefresh(consent) : ""
    const expiresAt = this.accessTokens.get(accessToken)?.expiresAt ?? 0
    return { accessToken, refreshToken, expiresAt, scope: consent.scope }
  }

  access(token: string): AccessToken | undefined {
    return this.accessTokens.get(token)
  }

  isExpired(token: AccessToken): boolean {
    return token.expiresAt <= this.clock.now()
  }

  /** What is known of a refresh token, dead ones included. Changes nothing. */
  present(token: string): Presented | undefined {
    const known = this.refreshTokens.get(token)
    if (known === undefined) return undefined
    const { person, provider, clientId, confidential } = known.consent
    const valid = this.validOf(known.consent).includes(token)
    return { person, provider, clientId, confidential, valid, reused: known.exchanged }
  }

  /** A refresh as the provider sees it; `undefined` for a token that is unknown or dead. Reuse is counted either way. */
  refresh(token: string): Refreshed | undefined {
    const known = this.refreshTokens.get(token)
    if (known === undefined) return undefined
    const { consent } = known
    const history = this.history(consent.person, consent.provider)
    if (known.exchanged) history.reuses++
    const place = this.validOf(consent).indexOf(token)
    if (place === -1) return undefined

    history.refreshes++
    consent.usedAt = this.clock.now()
    // A token in use proves that its predecessors are no longer needed.
    consent.valid = consent.valid.slice(place)
    const accessToken = this.issueAccess(consent, this.lifetimeSeconds)
    const { person, provider } = consent
    const rotation = this.personalRotation.get(`${provider} ${person}`) ?? this.rotation[provider]
    if (rotation === "none") return { accessToken, scope: consent.scope, refreshToken: null }

    known.exchanged = true
    if (rotation === "single-use") consent.valid = consent.valid.filter((other) => other !== token)
    return { accessToken, scope: consent.scope, refreshToken: this.issueRefresh(consent) }
  }

  revoke(person: string, provider: Provider): void {
    const history = this.history(person, provider)
    for (const consent of history.consents) consent.valid = []
    for (const token of history.accessTokens) token.revoked = true
  }

  expireAccessTokens(person: string | undefined, provider: Provider | undefined): void {
    const now = this.clock.now()
    for (const token of this.accessTokens.values()) {
      if (person !== undefined && token.person !== person) continue
      if (provider !== undefined && token.provider !== provider) continue
      token.expiresAt = Math.min(token.expiresAt, now)
    }
  }

  state(person: string, provider: Provider): TokenState {
    const { consents, newest, reuses, refreshes } = this.history(person, provider)
    return {
      validRefreshTokens: consents.flatMap((consent) => this.validOf(consent)),
      newestRefreshToken: newest,
      reuses,
      refreshes,
    }
  }

  /** None of a grant that has ended. */
  private validOf(consent: Consent): ReadonlyArray<string> {
    return this.lifetimes.hasEnded(consent) ? [] : consent.valid
  }

  private issueAccess(consent: Consent, lifetimeSeconds: number): string {
    const text = `${tokenPrefix[consent.provider].access}${this.random.base62(110)}`
    const token = {
      person: consent.person,
      provider: consent.provider,
      clientId: consent.clientId,
      scope: consent.scope,
      expiresAt: this.clock.now() + lifetimeSeconds * 1000,
      revoked: false,
    }
    this.accessTokens.set(text, token)
    this.history(consent.person, consent.provider).accessTokens.push(token)
    this.secrets.push(text)
    return text
  }

  private issueRefresh(consent: Consent): string {
    const length = consent.provider === "spotify" ? 110 : 80
    const text = `${tokenPrefix[consent.provider].refresh}${this.random.base62(length)}`
    this.refreshTokens.set(text, { consent, exchanged: false })
    consent.valid.push(text)
    this.history(consent.person, consent.provider).newest = text
    this.secrets.push(text)
    return text
  }

  private history(person: string, provider: Provider): History {
    const key = `${provider} ${person}`
    const known = this.histories.get(key)
    if (known !== undefined) return known
    const made: History = { reuses: 0, refreshes: 0, newest: null, consents: [], accessTokens: [] }
    this.histories.set(key, made)
    return made
  }
}
