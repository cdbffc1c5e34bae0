import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep, type WorkflowStepConfig } from "cloudflare:workers"
import { Effect } from "effect"
import type { MigrationEnv, MoveParameters } from "../env.ts"
import { Runs } from "../runs/Runs.ts"
import { stepServices } from "../services.ts"
import { Instances } from "./Instances.ts"
import { runMove } from "./runMove.ts"
import { Steps } from "./Steps.ts"

/** A step fails only while D1 does not answer: it is tried again for about as long as anybody would wait for D1. */
const stepConfig = {
  retries: { limit: 12, delay: "5 seconds", backoff: "exponential" },
  timeout: "15 minutes",
} satisfies WorkflowStepConfig

/** How often a page under way gives a sign of life: one statement, however many people are in it. */
const beatMs = 2000

/** Steps of one instance. Cloudflare allows 1,024 on the free plan: https://developers.cloudflare.com/workflows/reference/limits/ */
const stepsAtMost = 900

/**
 * A run of the migrator as a Workflow: each page of people is one durable step, which is not repeated once it is done, whatever is killed.
 * On Cloudflare an instance goes on by itself; locally, whose process was killed is taken on by pausing and resuming it.
 */
export class MoveWorkflow extends WorkflowEntrypoint<MigrationEnv, MoveParameters> {
  override async run({ payload }: Readonly<WorkflowEvent<MoveParameters>>, step: WorkflowStep): Promise<void> {
    const { runId, instance, checkpoint } = payload
    const services = stepServices(this.env)
    const instances = Instances.of(this.env.MOVE)
    const durable = Steps.of({
      do: (name, work) =>
        Effect.promise(async () => {
          // What a step gives is JSON; the platform's types cannot be told so of a type parameter.
          const text = await step.do(name, stepConfig, async () =>
            JSON.stringify((await Effect.runPromise(Effect.provide(work, services))) ?? null),
          )
          return JSON.parse(text)
        }),
      sleep: (name, ms) => Effect.promise(() => step.sleep(name, ms)),
      beatMs,
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
    // What the platform throws into a run that is paused or ended passes as it is. A run whose step has failed for good ends with that;
    // whoever looks at it next writes it down.
    await Effect.runPromise(
      runMove(runId, checkpoint).pipe(Effect.provideService(Steps, durable), Effect.provide(services)),
    )
  }
}
