/**
 * The HTTP contract of Checkout Sessions, written once: the client takes its methods, paths and schemas from it, the
 * sandbox serves it, `openapi.json` and the docs page describe it.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { CheckoutSessionId } from "./CheckoutSession.js"
import * as Endpoints from "./Endpoints.js"
import { ErrorDetail, Generic, NotFound, Unauthorized } from "./Errors.js"
import { asPublished, describeOperation } from "./internal/openApi.js"

/** The API's error body, of which every property may be absent, as the wire form of one of our error classes. */
const onTheWire = <Status extends number, E extends Answer<Status>>(
  identifier: string,
  status: { readonly schema: Schema.Schema<Status>; readonly absent: Status },
  error: Schema.Schema<E, E>,
  make: (fields: Answer<Status>) => E
) =>
  Schema.transform(
    Schema.Struct({
      type: Schema.optionalWith(Schema.Literal("error").annotations({ description: "Always `error`." }), {
        default: () => "error"
      }),
      code: Schema.optionalWith(described("A code for programs to decide by, e.g. `not_found`."), { exact: true }),
      status: Schema.optionalWith(status.schema, { default: () => status.absent }),
      message: Schema.optionalWith(described("What went wrong, for people."), { default: () => "" }),
      details: Schema.optionalWith(
        Schema.Array(ErrorDetail).annotations({ description: "What is wrong with which part of the request." }),
        { default: () => [] }
      )
    }).annotations({ identifier }),
    error,
    {
      strict: true,
      decode: ({ type: _, ...fields }) => make(fields),
      encode: (_, { code, details, message, status }) => ({
        type: "error" as const,
        ...(code === undefined ? {} : { code }),
        status,
        message,
        details
      })
    }
  )

const described = (description: string) => Schema.String.annotations({ description })

interface Answer<Status extends number> {
  readonly code?: string
  readonly status: Status
  readonly message: string
  readonly details: ReadonlyArray<ErrorDetail>
}

const statusOfError = (rules: object) => ({
  jsonSchema: { type: "integer", ...rules, description: "The HTTP status of the answer." }
})

/**
 * The wire forms of the API's errors: `Schema.encode` gives the body the API sends.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ErrorBody = {
  Unauthorized: onTheWire(
    "Error401Unauthorized",
    { schema: Schema.Literal(401).annotations(statusOfError({ enum: [401] })), absent: 401 },
    Schema.typeSchema(Unauthorized),
    (fields) => new Unauthorized(fields)
  ).annotations(
    HttpApiSchema.annotations({
      status: 401,
      description: "Returns an error if no valid authentication was provided."
    })
  ),
  NotFound: onTheWire(
    "Error404NotFound",
    { schema: Schema.Literal(404).annotations(statusOfError({ enum: [404] })), absent: 404 },
    Schema.typeSchema(NotFound),
    (fields) => new NotFound(fields)
  ).annotations(
    HttpApiSchema.annotations({
      status: 404,
      description: "Returns an error if the Checkout Session can not be found or has expired."
    })
  ),
  /** `retryAfter` is not part of the body: it travels as the `Retry-After` header. */
  Generic: onTheWire(
    "ErrorGeneric",
    // A body may leave its status out: then nothing but the answer itself tells it, and 500 is the nearest guess.
    { schema: Schema.Int.pipe(Schema.between(200, 599, statusOfError({ minimum: 200, maximum: 599 }))), absent: 500 },
    Schema.typeSchema(Generic),
    (fields) => new Generic(fields)
  ).annotations(HttpApiSchema.annotations({ status: 500, description: "Returns a generic error." }))
} as const

/**
 * The security of all four operations: HTTP bearer, a JWT. A server refuses with `Unauthorized`, or with a `Generic` 403
 * where the token is good but lacks a scope.
 *
 * @since 0.1.0
 * @category contract
 */
export class BearerAuth extends HttpApiMiddleware.Tag<BearerAuth>()(
  "@effect-gr4vy/core/CheckoutSessionsApi/BearerAuth",
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

const path = Schema.Struct({ checkout_session_id: CheckoutSessionId })

/**
 * `POST /checkout/sessions`
 *
 * @since 0.1.0
 * @category operations
 */
export const add = HttpApiEndpoint.make(Endpoints.add.method)("add", Endpoints.add.path)
  .addSuccess(
    Endpoints.add.success.annotations({ identifier: "CheckoutSession", ...HttpApiSchema.annotations({ status: 201 }) })
  )
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation({
      identifier: "add-checkout-session",
      summary: "Create a new Checkout Session",
      description: "Creates a new Checkout Session.",
      success: "Returns the new Checkout Session."
    })
  )

/**
 * `GET /checkout/sessions/{checkout_session_id}`
 *
 * @since 0.1.0
 * @category operations
 */
export const get = HttpApiEndpoint.make(Endpoints.get.method)("get", Endpoints.get.path)
  .setPath(path)
  .addSuccess(Endpoints.get.success)
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.NotFound)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation({
      identifier: "get-checkout-session",
      summary: "Get a Checkout Session",
      description: "Gets details about a current Checkout Session.",
      success: "Returns details about a current Checkout Session."
    })
  )

/**
 * `PUT /checkout/sessions/{checkout_session_id}/fields`; its body is optional.
 *
 * @since 0.1.0
 * @category operations
 */
export const updateFields = HttpApiEndpoint.make(Endpoints.updateFields.method)(
  "updateFields",
  Endpoints.updateFields.path
)
  .setPath(path)
  .setPayload(Endpoints.updateFields.payload)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.NotFound)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation({
      identifier: "update-checkout-session-fields",
      summary: "Update a Checkout Session's Secure Fields",
      description:
        "Updates the Secure Fields of the Checkout Session. Once the fields have been received the `expires_at` will be updated to 5 minutes from the time of receipt.",
      success: "Returns when the Checkout Session was updated."
    })
  )

const delete_ = HttpApiEndpoint.make(Endpoints.delete.method)("delete", Endpoints.delete.path)
  .setPath(path)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.NotFound)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation({
      identifier: "delete-checkout-session",
      summary: "Delete a Checkout Session",
      description: "Deletes a Checkout Session.",
      success: "Returns an empty response."
    })
  )

export {
  /**
   * `DELETE /checkout/sessions/{checkout_session_id}`
   *
   * @since 0.1.0
   * @category operations
   */
  delete_ as delete
}

/**
 * The four operations on Checkout Sessions, behind {@link BearerAuth}.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 * @category contract
 */
export class CheckoutSessionsGroup extends HttpApiGroup.make("checkoutSessions")
  .add(add)
  .add(get)
  .add(updateFields)
  .add(delete_)
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
      description: "Create, read, fill and delete Checkout Sessions.",
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
