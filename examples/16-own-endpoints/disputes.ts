import { Endpoint, NotFound } from "@effect-gr4vy/core"
import { Schema } from "effect"

export const Dispute = Schema.Struct({
  id: Schema.String,
  status: Schema.Literal("open", "accepted", "answered"),
  amount: Schema.Int
})
export type Dispute = typeof Dispute.Type

/** Your own error class, with its status. */
export class AlreadyClosed extends Schema.TaggedError<AlreadyClosed>()(
  "AlreadyClosed",
  { code: Schema.String, message: Schema.String },
  Endpoint.status(409)
) {}

const params = { dispute_id: Schema.String }

/** A service with a function for each endpoint, nested as the record is. */
export class Disputes extends Endpoint.Service<Disputes>()("app/Disputes", {
  /** Reads one page of the disputes. */
  list: Endpoint.get("Disputes.list", "/disputes", {
    query: Schema.Struct({
      cursor: Schema.optional(Schema.String),
      limit: Schema.optional(Schema.NumberFromString),
      status: Schema.optional(Schema.Array(Schema.String))
    }),
    success: Schema.Struct({ items: Schema.Array(Dispute), next_cursor: Schema.NullOr(Schema.String) }),
    scope: "disputes.read"
  }),
  /** Accepts a dispute: the buyer keeps the money. */
  accept: Endpoint.patch("Disputes.accept", "/disputes/{dispute_id}", {
    params,
    payload: Schema.Struct({ status: Schema.Literal("accepted") }),
    success: Dispute,
    errors: [NotFound, AlreadyClosed],
    resend: "idempotent",
    scope: "disputes.write",
    belongs: ({ id }, { dispute_id }) => id === dispute_id
  }),
  evidence: {
    /** Sends evidence. Without a file that the bank wants to see, the response has no body. */
    submit: Endpoint.post("Disputes.evidence.submit", "/disputes/{dispute_id}/evidence", {
      params,
      payload: Schema.Struct({ text: Schema.NonEmptyString }),
      headers: Schema.Struct({ language: Schema.optional(Schema.String).pipe(Schema.fromKey("Content-Language")) }),
      success: Endpoint.optional(Schema.Struct({ upload_url: Schema.String })),
      errors: [NotFound, AlreadyClosed],
      resend: "once",
      scope: "disputes.write",
      attemptTimeout: "20 seconds"
    })
  }
}) {}
