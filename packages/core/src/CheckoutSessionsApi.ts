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

/** The API's error body, as the wire form of one of our error classes. */
const onTheWire = <Status extends number, E extends Answer<Status>>(
  identifier: string,
  status: Schema.Schema<Status>,
  error: Schema.Schema<E, E>,
  make: (fields: Answer<Status>) => E
) =>
  Schema.transform(
    Schema.Struct({
      type: Schema.optionalWith(Schema.Literal("error"), { default: () => "error" }),
      code: Schema.optionalWith(Schema.String, { exact: true }),
      status,
      message: Schema.optionalWith(Schema.String, { default: () => "" }),
      details: Schema.optionalWith(Schema.Array(ErrorDetail), { default: () => [] })
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

interface Answer<Status extends number> {
  readonly code?: string
  readonly status: Status
  readonly message: string
  readonly details: ReadonlyArray<ErrorDetail>
}

/**
 * The wire forms of the API's errors: `Schema.encode` gives the body the API sends.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ErrorBody = {
  Unauthorized: onTheWire(
    "Error401Unauthorized",
    Schema.Literal(401),
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
    Schema.Literal(404),
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
    Schema.Int.pipe(Schema.between(200, 599)),
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

// `HttpApi` gives every error a fixed status, and every endpoint an answer of its own for requests that do not decode.
// The API has a `default` answer instead, which covers both.
const describeOperation = (identifier: string, summary: string, description: string) =>
  OpenApi.annotations({
    identifier,
    summary,
    description,
    transform: ({ requestBody, responses: { 400: _, 500: generic, ...responses }, ...operation }) => ({
      ...operation,
      ...(requestBody === undefined ? {} : { requestBody: { ...requestBody, required: false } }),
      responses: { ...responses, default: generic }
    })
  })

const empty = (description: string) => HttpApiSchema.NoContent.annotations({ description })

/**
 * `POST /checkout/sessions`
 *
 * @since 0.1.0
 * @category operations
 */
export const add = HttpApiEndpoint.make(Endpoints.add.method)("add", Endpoints.add.path)
  .addSuccess(Endpoints.add.success.annotations({ description: "Returns the new Checkout Session." }), { status: 201 })
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation("add-checkout-session", "Create a new Checkout Session", "Creates a new Checkout Session.")
  )

/**
 * `GET /checkout/sessions/{checkout_session_id}`
 *
 * @since 0.1.0
 * @category operations
 */
export const get = HttpApiEndpoint.make(Endpoints.get.method)("get", Endpoints.get.path)
  .setPath(path)
  .addSuccess(Endpoints.get.success.annotations({ description: "Returns details about a current Checkout Session." }))
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.NotFound)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation(
      "get-checkout-session",
      "Get a Checkout Session",
      "Gets details about a current Checkout Session."
    )
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
  .addSuccess(empty("Returns when the Checkout Session was updated."))
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.NotFound)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation(
      "update-checkout-session-fields",
      "Update a Checkout Session's Secure Fields",
      "Updates the Secure Fields of the Checkout Session. Once the fields have been received the `expires_at` will be updated to 5 minutes from the time of receipt."
    )
  )

const delete_ = HttpApiEndpoint.make(Endpoints.delete.method)("delete", Endpoints.delete.path)
  .setPath(path)
  .addSuccess(empty("Returns an empty response."))
  .addError(ErrorBody.Unauthorized)
  .addError(ErrorBody.NotFound)
  .addError(ErrorBody.Generic)
  .annotateContext(
    describeOperation("delete-checkout-session", "Delete a Checkout Session", "Deletes a Checkout Session.")
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
