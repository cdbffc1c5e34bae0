import type { Stage } from "../stage.ts"

/** Somebody who follows so many shows and channels and has everything that they published, so that polling finds nothing new. Returns their sources. */
export const settledPerson = async (
  { simulator, ask, connect }: Stage,
  { userId, shows, channels }: { readonly userId: string; readonly shows: number; readonly channels: number },
): Promise<ReadonlyArray<string>> => {
  const [person] = await simulator.seed({ people: [userId], showsEach: shows, channelsEach: channels, itemsEach: 3 })
  await connect("pollen", [userId])
  // The second poll sees what the first has asked for, and leaves nothing to be delivered.
  for (const _ of ["first", "second"]) {
    const { undelivered, failures } = await ask("poll", { side: "pollen", userIds: [userId], atOnce: 1 })
    if (undelivered > 0 || failures.length > 0) throw new Error(`the first polls failed: ${failures.join("; ")}`)
  }
  return [...(person?.shows ?? []), ...(person?.channels ?? [])]
}
