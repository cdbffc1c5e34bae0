import type { WorkflowStep } from "cloudflare:workers"
import { type Invocation, newInvocation, within } from "./Invocation.ts"
import { limits } from "./invocations.ts"

/** Instances of Workflows that have run in this process, by their ids: what one has asked counts over all its steps. */
const instances = new Map<string, Invocation>()

const invocationOf = (id: string): Invocation => {
  const known =
    instances.get(id) ?? newInvocation(limits.instanceSubrequests, { length: 1, limit: limits.chainedInvocations })
  instances.set(id, known)
  return known
}

/** Refuses a result of a step that Cloudflare would not store, in its words. */
const checkResult = (name: string, result: unknown): void => {
  const bytes = new TextEncoder().encode(JSON.stringify(result) ?? "").length
  if (bytes > limits.stepResultBytes) {
    throw new Error(`Step ${name} output is too large. Maximum allowed size is 1MiB.`)
  }
}

/** The steps as they are, but that each result is as small as it has to be. */
const limitStep = (step: WorkflowStep): WorkflowStep =>
  new Proxy(step, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== "function") return member
      // Not `bind`: a method of a stub takes that for the name of another.
      if (name !== "do")
        return (...parameters: ReadonlyArray<unknown>): unknown => Reflect.apply(member, target, parameters)
      return async (...parameters: ReadonlyArray<unknown>) => {
        const result: unknown = await Reflect.apply(member, target, parameters)
        checkResult(String(parameters[0]), result)
        return result
      }
    },
  })

/** Runs an instance of a Workflow under its limits. */
export const instance = <A>(id: string, step: WorkflowStep, work: (step: WorkflowStep) => A): A =>
  within(invocationOf(id), () => work(limitStep(step)))
