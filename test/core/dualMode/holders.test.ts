import { env } from "cloudflare:workers"
import { expect, it } from "vitest"

it("accounts that were connected before there were holders are their objects' once the tables know of holders", async () => {
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO users (id, durable_object_id, created_at) VALUES ('object', 'id', 1), ('both', 'id', 1), ('central', NULL, 1)",
    ),
    env.DB.prepare(
      `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token) VALUES
        ('object', 'spotify', 1, NULL, NULL), ('both', 'spotify', 1, 'a', 'r'), ('central', 'spotify', 1, 'a', 'r')`,
    ),
  ])
  const migration = env.DATABASE_MIGRATIONS.find(({ name }) => name.includes("holders"))
  for (const query of migration?.queries ?? []) await env.DB.prepare(query).run()
  const { results } = await env.DB.prepare("SELECT user_id, holder, epoch FROM user_accounts ORDER BY user_id").all()
  expect(results).toEqual([
    { user_id: "both", holder: "database", epoch: 1 },
    { user_id: "central", holder: "database", epoch: 1 },
    { user_id: "object", holder: "object", epoch: 1 },
  ])
})
