import type { Figure } from "../figure.ts"
import { cronTimeOverLegacy } from "../legacy/cronTimeOverLegacy.ts" // legacy
import { requestsPerDeliveredItemOverLegacy } from "../legacy/requestsPerItem.ts" // legacy
import { tokenQueriesAfterMove } from "../legacy/tokenQueriesAfterMove.ts" // legacy
import { bundleSize } from "./bundleSize.ts"
import { coldIdlePoll, objectWakeToFirstRequest } from "./coldIdlePoll.ts"
import { delayOverBound } from "./delayOverBound.ts"
import { delayOverMinifluxRule } from "./delayOverMinifluxRule.ts"
import { feedPageRowsRead } from "./feedPageRowsRead.ts"
import { idlePollD1Queries } from "./idlePollD1Queries.ts"
import { idlePollProviderRequests } from "./idlePollProviderRequests.ts"
import { objectRowsWrittenPerIdlePoll, objectStorageBytesPerSource } from "./objectStorage.ts"
import {
  dollarsPer1000PeopleMonth,
  objectRowsWrittenPerPersonDay,
  wakesPerPersonDay,
  youtubeUnitsPerPersonDay,
} from "./personDay.ts"
import { pollThroughput } from "./pollThroughput.ts"
import { refreshesFor100Callers } from "./refreshesFor100Callers.ts"
import { requestsPerItem20Followers } from "./requestsPerItem.ts"
import { rowsWrittenPerItem } from "./rowsWrittenPerItem.ts"
import { rpcTypedOverBare } from "./rpcTypedOverBare.ts"

/** Every figure that is due, in the order in which it is measured. */
export const figures: ReadonlyArray<Figure> = [
  rpcTypedOverBare,
  pollThroughput,
  coldIdlePoll,
  objectWakeToFirstRequest,
  idlePollD1Queries,
  idlePollProviderRequests,
  refreshesFor100Callers,
  rowsWrittenPerItem,
  cronTimeOverLegacy, // legacy
  tokenQueriesAfterMove, // legacy
  delayOverMinifluxRule,
  delayOverBound,
  requestsPerItem20Followers,
  requestsPerDeliveredItemOverLegacy, // legacy
  feedPageRowsRead,
  wakesPerPersonDay,
  objectRowsWrittenPerPersonDay,
  objectRowsWrittenPerIdlePoll,
  objectStorageBytesPerSource,
  bundleSize,
  youtubeUnitsPerPersonDay,
  dollarsPer1000PeopleMonth,
]
