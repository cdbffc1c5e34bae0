import { Schema } from "effect"
import { AccountPoll } from "../rpc/methods.ts"

/** The request has no credential, or one that is not valid here. The credential itself is never repeated. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {
  reason: Schema.Literals(["missing", "invalid"]),
}) {
  override get message(): string {
    return this.reason === "missing"
      ? "The Authorization header has to carry a bearer token"
      : "The bearer token is not valid here"
  }
}

/** No route of the API has this path. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  path: Schema.String,
}) {
  override get message(): string {
    return `The API has no route ${this.path}; /openapi.json lists the routes`
  }
}

/** Nobody of this id has an account. */
export class PersonNotFound extends Schema.TaggedError<PersonNotFound>()("PersonNotFound", {
  userId: Schema.String,
}) {
  override get message(): string {
    return `No person with the id ${this.userId} has an account`
  }
}

/** No run of the migrator has this id. */
export class RunNotFound extends Schema.TaggedError<RunNotFound>()("RunNotFound", {
  id: Schema.String,
}) {
  override get message(): string {
    return `No run has the id ${this.id}; GET /v1/runs lists the runs`
  }
}

export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()("MethodNotAllowed", {
  path: Schema.String,
  allowed: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `${this.path} accepts ${this.allowed.join(", ")}`
  }
}

/** A person requested a poll a moment ago. Says what is known meanwhile. */
export class PolledTooSoon extends Schema.TaggedError<PolledTooSoon>()("PolledTooSoon", {
  /** When a poll of at least one account may be requested: epoch milliseconds. */
  retryAt: Schema.Int,
  accounts: Schema.Array(AccountPoll),
  delivered: Schema.Int,
  undelivered: Schema.Int,
}) {
  override get message(): string {
    return `A poll was requested a moment ago; the next may be requested at ${new Date(this.retryAt).toISOString()}`
  }
}

/** A page of another origin sent a request that changes something. */
export class CrossSite extends Schema.TaggedError<CrossSite>()("CrossSite", {}) {
  override get message(): string {
    return "A page elsewhere may not change anything here; programs send neither Origin nor Sec-Fetch-Site"
  }
}

export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  /** Bytes. */
  limit: Schema.Int,
}) {
  override get message(): string {
    return `The body is longer than ${this.limit} bytes`
  }
}

export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()("UnsupportedMediaType", {}) {
  override get message(): string {
    return "The body must be application/json"
  }
}

/** The request conflicts with the current state. `reason` is a stable name; `detail` says what to do. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", {
  reason: Schema.String,
  detail: Schema.String,
  /** User ids that are in the way; the first few, where there are many. */
  people: Schema.optionalKey(Schema.Array(Schema.String)),
}) {
  override get message(): string {
    return this.detail
  }
}

/** A service of the platform, such as Workflows, failed to do what the request needs. */
export class ServiceUnavailable extends Schema.TaggedError<ServiceUnavailable>()("ServiceUnavailable", {
  service: Schema.String,
  operation: Schema.String,
  reason: Schema.String,
}) {
  override get message(): string {
    return `${this.service} did not ${this.operation}: ${this.reason}`
  }
}

export type RequestError =
  | Conflict
  | CrossSite
  | Unauthorized
  | NotFound
  | PersonNotFound
  | PolledTooSoon
  | RunNotFound
  | MethodNotAllowed
  | PayloadTooLarge
  | ServiceUnavailable
  | UnsupportedMediaType
