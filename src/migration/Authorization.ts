import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { problemDocument } from "../http/problemDocument.ts"

// What the API says of who may ask; `authorize.ts` is what the worker does about it. Apart, so that a client of the API needs none of it.

/** Shortest admin credential accepted, in characters: 32 random characters are beyond guessing. */
export const adminTokenMinLength = 32

/** Who asks, as far as the credential says: its name, `admin` for `ADMIN_TOKEN`, or the name that Access knows. */
export class Operator extends Context.Service<Operator, string>()("pollen/migration/Operator") {}

/** Lets nobody through without the admin credential or a token of Cloudflare Access. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Operator }>()(
  "pollen/migration/Authorization",
  { security: { bearer: HttpApiSecurity.bearer }, error: problemDocument(401) },
) {}
