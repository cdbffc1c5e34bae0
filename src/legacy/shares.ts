import { type Provider, providers } from "../domain/provider.ts"
import type { SubrequestCount } from "../domain/subrequests.ts"

/** Subrequests kept for writing down what was found, for both providers. */
const keptForWriting = 40

/**
 * Shares a run's subrequests between the providers, which are polled side by side: half each, so that neither starves the other, and
 * what one has left over to the other once it has ended. `rest` counts what is asked for neither.
 */
export const shareSubrequests = (limit: number, rest: SubrequestCount) => {
  const shares: Record<Provider, SubrequestCount & { isOver: boolean }> = {
    spotify: { made: 0, isOver: false },
    youtube: { made: 0, isOver: false },
  }
  const total = () => providers.reduce((sum, provider) => sum + shares[provider].made, rest.made)
  const keptFor = (provider: Provider): number => {
    const { made, isOver } = shares[provider]
    return isOver ? 0 : Math.max(0, Math.floor((limit - keptForWriting) / providers.length) - made)
  }
  return {
    total,
    /** Counts what is asked for a provider. */
    countOf: (provider: Provider): SubrequestCount => shares[provider],
    /** How much more may be asked for a provider. */
    left: (provider: Provider): number => {
      const others = providers.filter((other) => other !== provider)
      const kept = others.reduce((sum, other) => sum + keptFor(other), 0)
      return Math.max(0, limit - keptForWriting - kept - total())
    },
    end: (provider: Provider): void => {
      shares[provider].isOver = true
    },
  }
}
