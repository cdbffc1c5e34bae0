import type { Provider } from "../../model.ts"
import type { Clock } from "./clock.ts"
import type { Random } from "./random.ts"

/** What an authorization code stands for until it is exchanged. */
export interface Code {
  readonly provider: Provider
  readonly person: string
  readonly scope: ReadonlyArray<string>
  readonly clientId: string
  readonly redirectUri: string
  /** PKCE, S256, base64url (RFC 7636, 4.2). */
  readonly challenge: string | null
  /** OpenID Connect Core 1.0, 3.1.2.1. */
  readonly nonce: string | null
  /** Whether the exchange gives a refresh token. */
  readonly offline: boolean
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** Ten minutes, the most RFC 6749 (4.1.2) recommends. */
const lifetimeMs = 600_000

export class Codes {
  private readonly codes = new Map<string, Code>()
  private readonly clock: Clock
  private readonly random: Random

  constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.random = random
  }

  issue(code: Omit<Code, "expiresAt">): string {
    const text = code.provider === "spotify" ? `AQsimcode${this.random.base62(60)}` : `4/0Asim${this.random.base62(60)}`
    this.codes.set(text, { ...code, expiresAt: this.clock.now() + lifetimeMs })
    return text
  }

  peek(text: string): Code | undefined {
    return this.codes.get(text)
  }

  /** The code, once and only once, unless it is too old. */
  take(text: string): Code | undefined {
    const code = this.codes.get(text)
    this.codes.delete(text)
    return code !== undefined && code.expiresAt > this.clock.now() ? code : undefined
  }
}
