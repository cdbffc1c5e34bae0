import { SimulatorClient } from "../../local/simulator/client.ts"
import type { FaultRule, LedgerFilter, RandomFaultsInput } from "../../local/simulator/model.ts"
import { forever } from "../forever.ts"

/** A client of a simulator that files of tests share which run at the same time: it takes away no faults but its own, and waits for ever. */
export class SharedSimulatorClient extends SimulatorClient {
  readonly #faults = new Set<string>()

  async #remembered(adding: Promise<ReadonlyArray<string>>): Promise<ReadonlyArray<string>> {
    const ids = await adding
    for (const id of ids) this.#faults.add(id)
    return ids
  }

  override setFaults(rules: ReadonlyArray<FaultRule>): Promise<ReadonlyArray<string>> {
    return this.#remembered(super.setFaults(rules))
  }

  override randomFaults(input: RandomFaultsInput): Promise<ReadonlyArray<string>> {
    return this.#remembered(super.randomFaults(input))
  }

  /** All that this client has set, without ids. */
  override async clearFaults(ids: ReadonlyArray<string> = [...this.#faults]): Promise<void> {
    for (const id of ids) this.#faults.delete(id)
    if (ids.length > 0) await super.clearFaults(ids)
  }

  override waitForHeld(id: string, count = 1, timeoutMs = forever): Promise<void> {
    return super.waitForHeld(id, count, timeoutMs)
  }

  override waitForRequests(filter: LedgerFilter, count = 1, timeoutMs = forever): Promise<void> {
    return super.waitForRequests(filter, count, timeoutMs)
  }
}
