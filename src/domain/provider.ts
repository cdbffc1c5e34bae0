import { Schema } from "effect"

/** Where people follow things. A new provider starts here; CONTRIBUTING.md says what else it needs. */
export const providers = ["spotify", "youtube"] as const
export const Provider = Schema.Literals(providers)
export type Provider = typeof Provider.Type
