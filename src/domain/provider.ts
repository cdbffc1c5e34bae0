import { Schema } from "effect"

/** The providers. A new one starts here; CONTRIBUTING.md says what else it needs. */
export const providers = ["spotify", "youtube"] as const
export const Provider = Schema.Literals(providers)
export type Provider = typeof Provider.Type
