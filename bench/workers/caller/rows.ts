const ofPeople = "(SELECT value FROM json_each(?1))"

/** Every table that a delivery writes, without the moments at which it was written. */
const queries = {
  users: `SELECT id FROM users WHERE id IN ${ofPeople} ORDER BY id`,
  user_accounts: `SELECT user_id, provider, is_active, state FROM user_accounts WHERE user_id IN ${ofPeople} ORDER BY 1, 2`,
  subscriptions: `SELECT provider, external_id, title, url, image_url FROM subscriptions WHERE (provider, external_id) IN
    (SELECT provider, external_id FROM user_subscriptions WHERE user_id IN ${ofPeople}) ORDER BY 1, 2`,
  user_subscriptions: `SELECT user_id, provider, external_id FROM user_subscriptions WHERE user_id IN ${ofPeople} ORDER BY 1, 2, 3`,
  feed_items: `SELECT * FROM feed_items WHERE (provider, external_id) IN
    (SELECT provider, external_id FROM user_feed_items WHERE user_id IN ${ofPeople}) ORDER BY provider, external_id`,
  user_feed_items: `SELECT user_id, published_at, provider, external_id, is_backfill FROM user_feed_items
    WHERE user_id IN ${ofPeople} ORDER BY 1, 2, 3, 4`,
  durable_object_status: `SELECT user_id, sources, failing_sources, accounts FROM durable_object_status
    WHERE user_id IN ${ofPeople} ORDER BY 1`,
}

export const readRows = async (database: D1Database, userIds: ReadonlyArray<string>) => {
  const names = Object.keys(queries)
  const statements = Object.values(queries).map((sql) => database.prepare(sql).bind(JSON.stringify(userIds)))
  const results = await database.batch<Record<string, unknown>>(statements)
  return Object.fromEntries(names.map((name, index) => [name, results[index]?.results ?? []]))
}
