import { createHmac } from "node:crypto"
import type { PushSubscription } from "../../model.ts"

type Asked = { -readonly [Name in keyof PushSubscription]: PushSubscription[Name] }

/** Longest that a callback may take, in milliseconds. */
const callbackTimeoutMs = 5_000

/** The WebSub hub: who has asked for what, and whether it pushes. */
export class Pushes {
  private readonly byCallback = new Map<string, Asked>()

  all(): ReadonlyArray<PushSubscription> {
    return [...this.byCallback.values()]
  }

  /** Takes a request, and asks the callback later whether it was meant. */
  ask(asked: Omit<PushSubscription, "confirmed">): void {
    const subscription = { ...asked, confirmed: false }
    this.byCallback.set(asked.callback, subscription)
    void this.confirm(subscription)
  }

  /** Pushes a feed to all who have confirmed that they want it. One that cannot be reached misses it, as with the real hub in the end. */
  send(source: string, body: string): void {
    for (const { callback, secret, source: of, confirmed } of this.all()) {
      if (of !== source || !confirmed) continue
      const headers = { "content-type": "application/atom+xml", "x-hub-signature": signatureOf(secret, body) }
      const init = { method: "POST", headers, body, signal: AbortSignal.timeout(callbackTimeoutMs) }
      void fetch(callback, init).catch(() => undefined)
    }
  }

  private async confirm(subscription: Asked): Promise<void> {
    const challenge = `challenge-${subscription.source}`
    const query = new URLSearchParams({
      "hub.mode": "subscribe",
      "hub.topic": subscription.topic,
      "hub.challenge": challenge,
      "hub.lease_seconds": String(subscription.leaseSeconds),
    })
    const url = `${subscription.callback}?${query}`
    const said = await fetch(url, { signal: AbortSignal.timeout(callbackTimeoutMs) }).then(
      (response) => response.text(),
      () => "",
    )
    subscription.confirmed = said === challenge
  }
}

/** The signature as Google's hub makes it. */
const signatureOf = (secret: string, body: string): string =>
  `sha1=${createHmac("sha1", secret).update(body).digest("hex")}`
