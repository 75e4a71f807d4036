/**
 * Adapts the description that `HttpApi` generates to the one that the API publishes.
 */
import * as OpenApi from "@effect/platform/OpenApi"
import type { Docs } from "@effect-gr4vy/core/Endpoint"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"

// `HttpApi` gives every error a fixed status, and every endpoint its own response for requests that do not decode.
// The API has a `default` response instead, which covers both.
export const describeOperation = (
  { description, example, identifier, success, summary }: Docs,
  payload: { readonly optional: boolean }
) =>
  OpenApi.annotations({
    ...(identifier === undefined ? {} : { identifier }),
    ...(summary === undefined ? {} : { summary }),
    ...(description === undefined ? {} : { description }),
    transform: ({ requestBody, responses: { 400: _, 500: generic, ...responses }, ...rest }) => ({
      ...rest,
      ...(requestBody === undefined
        ? {}
        : { requestBody: { ...withExample(requestBody, example), required: !payload.optional } }),
      responses: {
        ...Record.map(responses, (response: object, status) =>
          status.startsWith("2") && success !== undefined ? { ...response, description: success } : response
        ),
        default: generic
      }
    })
  })

/** Without an example a docs page makes one up of all properties, also of those that never come together. */
const withExample = (body: { readonly content: Readonly<Record<string, object>> }, example: unknown) =>
  example === undefined ? body : { ...body, content: Record.map(body.content, (media) => ({ ...media, example })) }

/** Removes what `HttpApi` adds to the API's own description. */
export const asPublished = (spec: Record<string, unknown>): Record<string, unknown> =>
  Record.filterMap(spec, (value, key) =>
    (key === "additionalProperties" && value === false) ||
    (key === "required" && Array.isArray(value) && value.length === 0) ||
    (key === "security" && Array.isArray(value) && value.length === 0) ||
    platformSchemas.has(key)
      ? Option.none()
      : Option.some(published(value))
  )

const published = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(published)
  if (!Predicate.isRecord(value)) return value
  // `HttpApi` wraps a reference in `allOf` to repeat the response's description beside it.
  const { allOf } = value
  return Array.isArray(allOf) && allOf.length === 1 ? published(allOf[0]) : asPublished(value)
}

/** The components of the error that `HttpApi` gives every endpoint. */
const platformSchemas: ReadonlySet<string> = new Set(["HttpApiDecodeError", "Issue", "PropertyKey"])
