import { HttpApi, OpenApi } from "effect/http-api"
import { strictRequests } from "../../http/strict.ts"
import { Drop } from "./drop.ts"
import { FlagsGroup } from "./flags.ts"
import { Health } from "./health.ts"
import { MetricsGroup } from "./metrics.ts"
import { People } from "./people.ts"
import { Runs } from "./runs.ts"
import { Tables } from "./tables.ts"

/** The HTTP API of the migration worker, for operators. */
export class Api extends HttpApi.make("pollen-migration")
  .add(FlagsGroup, Runs, People, MetricsGroup, Tables, Drop, Health)
  .annotateMerge(strictRequests)
  .annotateMerge(OpenApi.annotations({ title: "pollen-migration", version: "1" })) {}
