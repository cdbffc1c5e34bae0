import { Schema } from "effect"
import type { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import { Provider } from "../domain/provider.ts"
import { Secret } from "../domain/token.ts"

/** 401: the access token does not work, whatever its expiry says. */
export class AccessTokenRejected extends Schema.TaggedError<AccessTokenRejected>()("AccessTokenRejected", {
  provider: Provider,
}) {}

/** 403 for a scope: the person granted less than pollen needs, and has to connect again. */
export class ScopeMissing extends Schema.TaggedError<ScopeMissing>()("ScopeMissing", {
  provider: Provider,
  reason: Schema.String,
}) {}

/** 404: the show or channel is gone (`gone`), or has no list of items, perhaps not yet (`empty`). */
export class SourceMissing extends Schema.TaggedError<SourceMissing>()("SourceMissing", {
  provider: Provider,
  state: Schema.Literals(["gone", "empty"]),
}) {}

/** The provider refused the grant itself (`invalid_grant`). */
export class GrantRefused extends Schema.TaggedError<GrantRefused>()("GrantRefused", {
  provider: Provider,
  reason: Schema.String,
}) {}

/**
 * The answer to a refresh has no access token that could be used, but a new refresh token: that one is to be stored, since with rotation
 * the old one may not work any more, and the refresh is to be tried again with it.
 */
export class OnlyRefreshToken extends Schema.TaggedError<OnlyRefreshToken>()("OnlyRefreshToken", {
  provider: Provider,
  refreshToken: Secret,
  reason: Schema.String,
}) {}

/** The failures of a request with an access token. */
export type RequestError = AccessTokenRejected | ScopeMissing | SourceMissing | RateLimited | ProviderUnavailable
