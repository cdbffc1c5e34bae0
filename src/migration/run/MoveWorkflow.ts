import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep, type WorkflowStepConfig } from "cloudflare:workers"
import { Effect } from "effect"
import type { MigrationEnv, MoveParameters } from "../env.ts"
import { Runs } from "../runs/Runs.ts"
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

/**
 * Runs the migrator as a Workflow: each page of people is one durable step, which is not repeated once it is done, whatever is killed.
 * On Cloudflare an instance continues by itself; locally, an instance whose process was killed is recovered by pausing and resuming it.
 */
export class MoveWorkflow extends WorkflowEntrypoint<MigrationEnv, MoveParameters> {
  override async run({ payload }: Readonly<WorkflowEvent<MoveParameters>>, step: WorkflowStep): Promise<void> {
    const { runId, instance, checkpoint } = payload
    const services = stepServices(this.env)
    const instances = Instances.of(this.env.MOVE)
    const durable = Steps.of({
      do: (name, work) =>
        Effect.promise(async () => {
          // The result of a step is JSON, which the platform's types cannot express for a type parameter.
          const text = await step.do(name, stepConfig, async () =>
            JSON.stringify((await Effect.runPromise(Effect.provide(work, services))) ?? null),
          )
          return JSON.parse(text)
        }),
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
