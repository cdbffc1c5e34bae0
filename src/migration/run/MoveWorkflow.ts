import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep, type WorkflowStepConfig } from "cloudflare:workers"
import { Effect, Predicate } from "effect"
import { Subrequests } from "../../domain/subrequests.ts"
import type { MigrationEnv, MoveParameters } from "../env.ts"
import { Runs } from "../runs/Runs.ts"
import { readCallLimit } from "./callBudget.ts"
import { Instances } from "./Instances.ts"
import { runMove } from "./runMove.ts"
import { Steps } from "./Steps.ts"
import { stepServices } from "./stepServices.ts"

/** A step fails only while D1 does not answer, and is retried for hours: longer than any outage of D1 that a run should survive. */
const stepConfig = {
  retries: { limit: 12, delay: "5 seconds", backoff: "exponential" },
  timeout: "15 minutes",
} satisfies WorkflowStepConfig

/** Interval of a page's heartbeat. A heartbeat is one statement, however many people are in the page. */
const heartbeatMs = 2000

/** Steps that one instance takes. Cloudflare allows 1,024 on the free plan: https://developers.cloudflare.com/workflows/reference/limits/ */
const stepsAtMost = 900

/** The result of a step, and the subrequests that it took; an instance that began under an earlier version has stored the result alone. */
const readResult = (text: string) => {
  const stored = JSON.parse(text)
  return Predicate.hasProperty(stored, "calls") && Predicate.hasProperty(stored, "value")
    ? { value: stored.value, calls: Number(stored.calls) }
    : { value: stored, calls: 0 }
}

/**
 * Runs the migrator as a Workflow: each page of people is one durable step, which is not repeated once it is done, whatever is killed.
 * On Cloudflare an instance continues by itself; locally, an instance whose process was killed is recovered by pausing and resuming it.
 */
export class MoveWorkflow extends WorkflowEntrypoint<MigrationEnv, MoveParameters> {
  override async run({ payload }: Readonly<WorkflowEvent<MoveParameters>>, step: WorkflowStep): Promise<void> {
    const { runId, instance, checkpoint } = payload
    const services = stepServices(this.env)
    const instances = Instances.of(this.env.MOVE)
    const limit = await Effect.runPromise(readCallLimit(this.env))
    // Of the steps before as their results say, wherever they ran, and of the attempts of this process that failed.
    const count = { made: 0 }
    const durable = Steps.of({
      do: (name, work) =>
        Effect.promise(async () => {
          let hasRun = false
          // The result of a step is JSON, which the platform's types cannot express for a type parameter.
          const text = await step.do(name, stepConfig, async () => {
            hasRun = true
            const before = count.made
            const counted = work.pipe(Effect.provideService(Subrequests, count), Effect.provide(services))
            const value = (await Effect.runPromise(counted)) ?? null
            return JSON.stringify({ value, calls: count.made - before })
          })
          const { value, calls } = readResult(text)
          if (!hasRun) count.made += calls
          return value
        }),
      calls: { limit, left: Effect.sync(() => limit - count.made) },
      sleep: (name, ms) => Effect.promise(() => step.sleep(name, ms)),
      heartbeatMs,
      atMost: stepsAtMost,
      goOn: (next) =>
        Effect.promise(async () => {
          await step.do("go on in a new instance", stepConfig, () =>
            Effect.runPromise(
              Effect.andThen(
                Effect.flatMap(Runs, (runs) => runs.change(runId, ["running"], "running", { instance: instance + 1 })),
                instances.begin({ runId, instance: instance + 1, checkpoint: next }),
              ).pipe(Effect.asVoid, Effect.provide(services)),
            ),
          )
        }),
    })
    // Errors that the platform throws into a paused or ended run pass unchanged. A run whose step has failed for good ends with that
    // failure; RunControl records it when the run is read next.
    await Effect.runPromise(
      runMove(runId, checkpoint).pipe(Effect.provideService(Steps, durable), Effect.provide(services)),
    )
  }
}
