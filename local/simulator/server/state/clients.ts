import type { RegisteredClient } from "../../model/clients.ts"
import type { Provider } from "../../model.ts"
import { Refusal } from "./refusal.ts"

/** Known to every provider from the start. */
export const defaultClient: RegisteredClient = { id: "simulator-client", secret: "simulator-secret" }

/** The most people that a client in development mode may have. */
const allowedAtMost = 5

/** The OAuth clients that one provider knows. */
export class Clients {
  private readonly known = new Map<string, RegisteredClient>()
  private readonly provider: Provider

  constructor(provider: Provider, clients: ReadonlyArray<RegisteredClient>) {
    this.provider = provider
    this.add([defaultClient, ...clients])
  }

  /** Fails with `Refusal`, and adds none, where the provider would not have one of them. */
  add(clients: ReadonlyArray<RegisteredClient>): void {
    for (const { id, allowList } of clients) {
      if (allowList === undefined) continue
      if (this.provider !== "spotify") throw new Refusal(`${this.provider} has no allow-list for ${id}`)
      if (allowList.length > allowedAtMost) throw new Refusal(`${id} allows more than ${allowedAtMost} people`)
    }
    for (const client of clients) this.known.set(client.id, client)
  }

  remove(id: string): void {
    if (!this.known.delete(id)) throw new Refusal(`no client ${id}`)
  }

  find(id: string | null | undefined): RegisteredClient | undefined {
    return id === null || id === undefined ? undefined : this.known.get(id)
  }

  /** For control: fails with `Refusal` for an id that no client has. */
  get(id: string): RegisteredClient {
    const client = this.known.get(id)
    if (client === undefined) throw new Refusal(`no client ${id}`)
    return client
  }

  /** Whose quota a client's requests count towards; also of one that was removed while its access tokens live. */
  developerOf(id: string): string {
    return this.known.get(id)?.developer ?? id
  }

  isAllowed(id: string, person: string): boolean {
    return this.known.get(id)?.allowList?.includes(person) ?? true
  }
}
