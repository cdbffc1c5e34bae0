import { simulatedProviders } from "../simulator/variables.ts"

/** How many of a source's newest items a first poll delivers here: enough to see, few enough to be quick. */
export const backfillItems = 5

/** Settings of the core worker for a run against the simulator: short intervals, and no floor for requested polls, are the only difference to a real deployment. */
export const simulatedSettings = (simulatorUrl: string): Readonly<Record<string, string>> => ({
  ...simulatedProviders(simulatorUrl),
  POLL_MINIMUM_INTERVAL: "2 seconds",
  POLL_MAXIMUM_INTERVAL: "4 seconds",
  POLL_REQUEST_INTERVAL: "0 seconds",
  REQUEST_TIMEOUT: "5 seconds",
  BACKFILL_ITEMS: String(backfillItems),
})
