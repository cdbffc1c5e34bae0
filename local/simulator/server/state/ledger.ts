import type { Counts, LedgerEntry, LedgerFilter, Provider, RequestKind } from "../../model.ts"
import { Waiters } from "./waiters.ts"

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** An entry while its request runs. `opened` and `closed` count arrivals and ends together, in their true order. */
export interface OpenEntry {
  readonly entry: Writable<LedgerEntry>
  readonly opened: number
  closed: number | null
}

/** Every request to a provider, in order of arrival. */
export class Ledger {
  private all: Array<OpenEntry> = []
  private readonly byPerson = new Map<string, Array<OpenEntry>>()
  private readonly waiters = new Waiters()
  private seq = 0
  private moments = 0

  open(entry: Omit<LedgerEntry, "seq" | "status" | "units">): OpenEntry {
    this.seq++
    this.moments++
    const opened = { entry: { seq: this.seq, ...entry, status: 0, units: 0 }, opened: this.moments, closed: null }
    this.all.push(opened)
    if (entry.person !== null) {
      const own = this.byPerson.get(entry.person)
      if (own === undefined) this.byPerson.set(entry.person, [opened])
      else own.push(opened)
    }
    return opened
  }

  /** Answered, or lost: once closed an entry no longer changes. */
  close(open: OpenEntry): void {
    if (open.closed !== null) return
    this.moments++
    open.closed = this.moments
    this.waiters.look()
  }

  entries(filter: LedgerFilter): Array<LedgerEntry> {
    return this.select(filter).map(({ entry }) => entry)
  }

  counts(filter: LedgerFilter): Counts {
    const byKind: Partial<Record<RequestKind, number>> = {}
    const byStatus: Record<string, number> = {}
    const byProvider: Partial<Record<Provider, number>> = {}
    let total = 0
    let units = 0
    for (const { entry } of this.select(filter)) {
      total++
      units += entry.units
      byKind[entry.kind] = (byKind[entry.kind] ?? 0) + 1
      byStatus[entry.status] = (byStatus[entry.status] ?? 0) + 1
      if (entry.provider !== null) byProvider[entry.provider] = (byProvider[entry.provider] ?? 0) + 1
    }
    return { total, byKind, byStatus, byProvider, units }
  }

  clear(person: string | undefined): void {
    if (person === undefined) {
      this.all = []
      this.byPerson.clear()
    } else {
      this.all = this.all.filter(({ entry }) => entry.person !== person)
      this.byPerson.delete(person)
    }
  }

  maxConcurrent(filter: LedgerFilter): number {
    const moments = this.select(filter).flatMap(({ opened, closed }) =>
      closed === null ? [[opened, 1] as const] : [[opened, 1] as const, [closed, -1] as const],
    )
    moments.sort(([one], [other]) => one - other)
    let open = 0
    let most = 0
    for (const [, step] of moments) {
      open += step
      most = Math.max(most, open)
    }
    return most
  }

  waitFor(filter: LedgerFilter, count: number, timeoutMs: number): Promise<void> {
    const done = () => this.select(filter).filter(({ closed }) => closed !== null).length
    return this.waiters.until(
      () => done() >= count,
      timeoutMs,
      () => `${done()} of ${count} requests like ${JSON.stringify(filter)}`,
    )
  }

  private select({ person, provider, kind, since }: LedgerFilter): Array<OpenEntry> {
    const candidates = person === undefined ? this.all : (this.byPerson.get(person) ?? [])
    return candidates.filter(
      ({ entry }) =>
        (provider === undefined || entry.provider === provider) &&
        (kind === undefined || entry.kind === kind) &&
        (since === undefined || entry.seq > since),
    )
  }
}
