/**
 * The HTTP contract of Checkout Sessions, derived from {@link checkoutSessions}: the sandbox serves it, and `openapi.json`
 * describes it.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as OpenApi from "@effect/platform/OpenApi"
import { checkoutSessions } from "@effect-gr4vy/core/Endpoints"
import * as Schema from "effect/Schema"
import { ErrorBody } from "./internal/errorBody.js"
import { httpApiGroup } from "./internal/httpApi.js"
import { asPublished } from "./internal/openApi.js"

export {
  /**
   * The wire forms of the API's errors: `Schema.encode` gives the body the API sends.
   *
   * @since 0.1.0
   * @category schemas
   */
  ErrorBody
} from "./internal/errorBody.js"

/**
 * The security of all operations: HTTP bearer, a JWT. A server refuses with `Unauthorized`, or with a `Generic` 403
 * if the token is valid but lacks a scope.
 *
 * @since 0.1.0
 * @category contract
 */
export class BearerAuth extends HttpApiMiddleware.Tag<BearerAuth>()(
  "@effect-gr4vy/sandbox/CheckoutSessionsApi/BearerAuth",
  {
    failure: Schema.Union(ErrorBody.Unauthorized, ErrorBody.Generic),
    security: {
      BearerAuth: HttpApiSecurity.bearer.pipe(
        HttpApiSecurity.annotateContext(
          OpenApi.annotations({ format: "JWT", description: "A JWT signed with your private key." })
        )
      )
    }
  }
) {}

/**
 * The operations on Checkout Sessions, behind {@link BearerAuth}.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 * @category contract
 */
export class CheckoutSessionsGroup extends httpApiGroup("checkoutSessions", checkoutSessions)
  .middleware(BearerAuth)
  .annotateContext(OpenApi.annotations({ title: "Checkout Sessions" })) {}

/**
 * The contract as an `HttpApi`: for `HttpApiBuilder`, `HttpApiClient`, `OpenApi.fromApi`.
 *
 * @since 0.1.0
 * @category contract
 */
export class CheckoutSessionsApi extends HttpApi.make("gr4vy")
  .add(CheckoutSessionsGroup)
  .annotateContext(
    OpenApi.annotations({
      title: "Gr4vy Checkout Sessions",
      version: "1.1.0-beta",
      description: "Create, read, update, fill and delete Checkout Sessions.",
      transform: asPublished,
      servers: [
        {
          url: "https://api.{id}.gr4vy.app",
          description: "Production",
          variables: { id: { default: "plantly", description: "The subdomain of your Gr4vy instance." } }
        },
        {
          url: "https://api.sandbox.{id}.gr4vy.app",
          description: "Sandbox",
          variables: { id: { default: "plantly", description: "The subdomain of your Gr4vy instance." } }
        }
      ]
    })
  ) {}
