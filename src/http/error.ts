import { Schema } from "effect"

/** No credential, or one that is not valid here. The credential itself is never repeated. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {
  reason: Schema.Literals(["missing", "invalid"]),
}) {
  override get message(): string {
    return this.reason === "missing"
      ? "Send your bearer token in the Authorization header"
      : "This bearer token is not valid here"
  }
}

export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  path: Schema.String,
}) {
  override get message(): string {
    return `There is nothing at ${this.path}; /openapi.json lists what there is`
  }
}

export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()("MethodNotAllowed", {
  path: Schema.String,
  allowed: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `${this.path} takes ${this.allowed.join(", ")}`
  }
}

export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  /** Bytes. */
  limit: Schema.Int,
}) {
  override get message(): string {
    return `The body has more than ${this.limit} bytes`
  }
}

export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()("UnsupportedMediaType", {}) {
  override get message(): string {
    return "The body must be application/json"
  }
}

/** What was asked cannot be done as things are; `reason` is a stable name, `detail` says what to do about it. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", {
  reason: Schema.String,
  detail: Schema.String,
  /** User ids that stand in the way: not all, where there are many. */
  people: Schema.optionalKey(Schema.Array(Schema.String)),
}) {
  override get message(): string {
    return this.detail
  }
}

/** A service of the platform did not do what the request needs. */
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
  | Unauthorized
  | NotFound
  | MethodNotAllowed
  | PayloadTooLarge
  | ServiceUnavailable
  | UnsupportedMediaType
