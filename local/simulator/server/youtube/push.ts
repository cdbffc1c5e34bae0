import { type Answer, type Call, text } from "../answer.ts"
import type { Item } from "../state/catalogue.ts"
import type { World } from "../state/world.ts"
import { pushedFeed } from "./feed.ts"

/** The WebSub hub's one endpoint: takes a request, and asks its callback later whether it was meant. */
export const answerPushRequest = (world: World, call: Call): Answer => {
  const form = new URLSearchParams(call.body)
  const topic = form.get("hub.topic") ?? ""
  const callback = form.get("hub.callback") ?? ""
  if (form.get("hub.mode") !== "subscribe" || !URL.canParse(topic) || !URL.canParse(callback)) {
    return text(400, "hub.mode, hub.topic and hub.callback are needed")
  }
  world.pushes.ask({
    topic,
    callback,
    source: new URL(topic).searchParams.get("channel_id") ?? "",
    secret: form.get("hub.secret") ?? "",
    leaseSeconds: Number(form.get("hub.lease_seconds") ?? "0"),
  })
  return text(202, "")
}

/** Pushes what has been published. */
export const pushPublished = (world: World, items: ReadonlyArray<Item>): void => {
  for (const item of items) world.pushes.send(item.source.id, pushedFeed([item]))
}
