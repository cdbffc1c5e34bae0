import { Refusal } from "./refusal.ts"

/** Those who wait for a condition, looked at whenever something has changed. */
export class Waiters {
  private readonly waiting = new Set<() => void>()

  until(isMet: () => boolean, timeoutMs: number, describe: () => string): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isMet()) return
        clearTimeout(timer)
        this.waiting.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.waiting.delete(look)
        reject(new Refusal(`${describe()} after ${timeoutMs} ms`))
      }, timeoutMs)
      timer.unref()
      this.waiting.add(look)
    })
  }

  look(): void {
    for (const look of this.waiting) look()
  }
}
