import { HttpApi, OpenApi } from "effect/http-api"
import { strictRequests } from "../../http/strict.ts"
import { Accounts } from "./accounts.ts"
import { FeedPages } from "./feed.ts"
import { Health } from "./health.ts"
import { Person } from "./person.ts"
import { Polling } from "./polling.ts"

/** Everything that people and their apps can ask of pollen. */
export class Api extends HttpApi.make("pollen")
  .add(Accounts, Polling, Person, FeedPages, Health)
  .annotateMerge(strictRequests)
  .annotateMerge(OpenApi.annotations({ title: "pollen", version: "1" })) {}
