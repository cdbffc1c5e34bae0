import type { ProviderClient } from "../providers/provider.ts"
import type { BatchProcessor } from "./BatchProcessor.ts"

/** YouTube: libraries by 50 channels, uploads by 50 videos, and the details of 50 new videos at once, whoever follows them. */
export const youtubeBatchProcessor = (client: ProviderClient): BatchProcessor => ({
  provider: "youtube",
  client,
  counts: null,
})
