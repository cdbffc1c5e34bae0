import { text } from "drizzle-orm/sqlite-core"

/** What is shown of a show or channel, in every table of sources. */
export const sourceDetails = {
  title: text("title").notNull(),
  url: text("url").notNull(),
  imageUrl: text("image_url"),
}
