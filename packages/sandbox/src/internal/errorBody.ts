/**
 * The wire forms of the API's errors.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { ErrorDetail, Generic, NotFound, Unauthorized } from "@effect-gr4vy/core/Errors"
import * as Schema from "effect/Schema"

/** The API's error body, of which every property may be absent, as the wire form of one of our error classes. */
const onTheWire = <Status extends number, E extends Fields<Status>>(
  identifier: string,
  status: { readonly schema: Schema.Schema<Status>; readonly absent: Status },
  error: Schema.Schema<E, E>,
  make: (fields: Fields<Status>) => E
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

interface Fields<Status extends number> {
  readonly code?: string
  readonly status: Status
  readonly message: string
  readonly details: ReadonlyArray<ErrorDetail>
}

const statusOfError = (rules: object) => ({
  jsonSchema: { type: "integer", ...rules, description: "The HTTP status of the answer." }
})

/** By the names of our error classes. */
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
