import { HttpApi, OpenApi } from "effect/http-api"
import { Accounts } from "./accounts.ts"
import { FeedPages } from "./feed.ts"
import { Health } from "./health.ts"
import { Person } from "./person.ts"
import { Polling } from "./polling.ts"

/** Everything that people and their apps can ask of pollen. */
export class Api extends HttpApi.make("pollen")
  .add(Accounts, Polling, Person, FeedPages, Health)
  // Somebody whose body is wrong in three places hears of three.
  .annotate(HttpApi.ParseOptions, { errors: "all" })
  .annotateMerge(OpenApi.annotations({ title: "pollen", version: "1" })) {}
