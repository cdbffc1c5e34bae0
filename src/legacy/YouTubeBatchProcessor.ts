import type { ProviderHttp } from "../providers/ProviderHttp.ts"
import { youtubeClient } from "../providers/youtube.ts"
import type { BatchProcessor } from "./BatchProcessor.ts"

/** YouTube: libraries by 50 channels, uploads by 50 videos, and the details of 50 new videos at once, whoever follows them. */
export const youtubeBatchProcessor = (apiUrl: string, http: ProviderHttp["Service"]): BatchProcessor => ({
  provider: "youtube",
  client: youtubeClient(apiUrl, http),
  counts: null,
})
