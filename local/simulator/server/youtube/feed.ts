import { type Answer, type Call, text } from "../answer.ts"
import type { Item, Source } from "../state/catalogue.ts"
import type { World } from "../state/world.ts"

/** The most entries a feed has. */
const entriesAtMost = 15

const escaped = (value: string): string => value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const timestamp = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "+00:00")

const authorOf = (source: Source): string => `<author>
  <name>${escaped(source.title)}</name>
  <uri>https://www.youtube.com/channel/${source.id}</uri>
 </author>`

const entry = (item: Item): string => ` <entry>
  <id>yt:video:${item.id}</id>
  <yt:videoId>${item.id}</yt:videoId>
  <yt:channelId>${item.source.id}</yt:channelId>
  <title>${escaped(item.title)}</title>
  <link rel="alternate" href="https://www.youtube.com/watch?v=${item.id}"/>
  ${authorOf(item.source)}
  <published>${timestamp(item.publishedAt)}</published>
  <updated>${timestamp(item.publishedAt)}</updated>
  <media:group>
   <media:title>${escaped(item.title)}</media:title>
   <media:content url="https://www.youtube.com/v/${item.id}?version=3" type="application/x-shockwave-flash" width="640" height="390"/>
   <media:thumbnail url="https://i.ytimg.com/vi/${item.id}/hqdefault.jpg" width="480" height="360"/>
   <media:description>${escaped(item.title)}</media:description>
  </media:group>
 </entry>`

/** What the WebSub hub pushes: entries without a description. */
export const pushedFeed = (items: ReadonlyArray<Item>): string => `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
 <link rel="hub" href="https://pubsubhubbub.appspot.com"/>
 <title>YouTube video feed</title>
${items.map((item) => entry(item).replace(/<media:group>[\s\S]*<\/media:group>/, "")).join("\n")}
</feed>
`

/** A channel's Atom feed: no token, no quota, and nothing in it that is not public. */
export const answerFeed = (world: World, call: Call): Answer => {
  const source = world.catalogue.find(call.query.get("channel_id") ?? "")
  if (source === undefined || source.provider !== "youtube" || source.removed || !source.uploads) {
    return {
      ...text(404, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>"),
      headers: { "content-type": "text/html" },
    }
  }
  const entries: Array<string> = []
  for (let offset = 0; entries.length < entriesAtMost; offset += entriesAtMost) {
    const items = world.catalogue.page(source, offset, entriesAtMost)
    if (items.length === 0) break
    for (const item of items) {
      if (item.kind !== "private" && item.kind !== "deleted" && entries.length < entriesAtMost)
        entries.push(entry(item))
    }
  }
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom">
 <link rel="self" href="http://www.youtube.com/feeds/videos.xml?channel_id=${source.id}"/>
 <id>yt:channel:${source.id.slice(2)}</id>
 <yt:channelId>${source.id.slice(2)}</yt:channelId>
 <title>${escaped(source.title)}</title>
 <link rel="alternate" href="https://www.youtube.com/channel/${source.id}"/>
 ${authorOf(source)}
 <published>${timestamp(source.createdAt)}</published>
${entries.join("\n")}
</feed>
`
  return {
    status: 200,
    headers: { "content-type": "text/xml; charset=UTF-8", "cache-control": "public, max-age=900" },
    body,
  }
}
