import type { ServerResponse } from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"

const block = Buffer.alloc(65_536, " ")

/** Blanks are made while the client takes them, so a million million of them need one block of memory. */
function* blanksThen(bytes: number, end: string, beforeEnd: () => void) {
  for (let left = bytes; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block
  beforeEnd()
  if (end !== "") yield Buffer.from(end)
}

/** Sends the body of an answer whose head has been written. A client that goes away ends it. */
export const streamHuge = async (
  response: ServerResponse,
  { bytes, end, beforeEnd }: { readonly bytes: number; readonly end: string; readonly beforeEnd: () => void },
): Promise<void> => {
  try {
    await pipeline(Readable.from(blanksThen(bytes, end, beforeEnd)), response)
  } catch {
    response.destroy()
  }
}
