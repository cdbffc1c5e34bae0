import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { problemDocument } from "../http/problemDocument.ts"

// The part of authorization that the API declares; `authorize.ts` is what the worker does. They are separate so that a client of the API
// does not load the worker's part.

/** The shortest admin credential that is accepted, in characters: 32 random characters cannot be guessed. */
export const adminTokenMinLength = 32

/** The operator who sent the request, as far as the credential says: its name, `admin` for `ADMIN_TOKEN`, or the name that Access knows. */
export class Operator extends Context.Service<Operator, string>()("pollen/migration/Operator") {}

/** Refuses requests without the admin credential or a token of Cloudflare Access. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Operator }>()(
  "pollen/migration/Authorization",
  { security: { bearer: HttpApiSecurity.bearer }, error: problemDocument(401) },
) {}
