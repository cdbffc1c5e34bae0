import { HttpApi, OpenApi } from "effect/http-api"
import { FlagsGroup } from "./flags.ts"
import { Health } from "./health.ts"
import { MetricsGroup } from "./metrics.ts"
import { People } from "./people.ts"
import { Runs } from "./runs.ts"
import { Contract, Tables } from "./tables.ts"

/** Everything that an operator can ask of the migration worker. */
export class Api extends HttpApi.make("pollen-migration")
  .add(FlagsGroup, Runs, People, MetricsGroup, Tables, Contract, Health)
  // Somebody whose body is wrong in three places hears of three.
  .annotate(HttpApi.ParseOptions, { errors: "all" })
  .annotateMerge(OpenApi.annotations({ title: "pollen-migration", version: "1" })) {}
