/**
 * Adapts a user-supplied `HttpClient`: no redirects where possible, no spans, errors become `TransportFailure`.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fromHttpClientError, TransportFailure } from "./TransportFailure.js"

/**
 * The `HttpClient` of the context. `FetchHttpClient.RequestInit` applies, except for `redirect`: the token goes to one
 * origin only.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromContext: Effect.Effect<HttpClient.HttpClient, never, HttpClient.HttpClient> = Effect.map(
  Effect.context<HttpClient.HttpClient>(),
  (context) => {
    const init = {
      ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
      redirect: "manual" as const
    }
    return Context.get(context, HttpClient.HttpClient).pipe(
      // The platform's own span has other names and would record every header; the service's span stays.
      HttpClient.withTracerDisabledWhen(() => true),
      // A client may be configured to fail for statuses other than 2xx: that is still a response.
      HttpClient.catchTag("ResponseError", (error) =>
        error.reason === "StatusCode" ? Effect.succeed(error.response) : Effect.fail(error)
      ),
      HttpClient.transformResponse(Effect.provideService(FetchHttpClient.RequestInit, init))
    )
  }
)

/**
 * Converts such a client's errors to `TransportFailure`. A defect stays a defect, because its effect on the request is
 * unknown. It may quote the request, so only its name and its stack frames are kept.
 *
 * @since 0.1.0
 * @category combinators
 */
export const mapFailures = <A, R>(
  exchange: Effect.Effect<A, HttpClientError.HttpClientError | TransportFailure, R>
): Effect.Effect<A, TransportFailure, R> =>
  exchange.pipe(
    Effect.mapError((error) => (error instanceof TransportFailure ? error : fromHttpClientError(error))),
    Effect.mapErrorCause((cause) =>
      Cause.match<typeof cause, TransportFailure>(cause, {
        onEmpty: Cause.empty,
        onFail: Cause.fail,
        onDie: (defect) => Cause.die(withoutText(defect)),
        onInterrupt: Cause.interrupt,
        onSequential: Cause.sequential,
        onParallel: Cause.parallel
      })
    )
  )

const withoutText = (defect: unknown): Error => {
  const name = defect instanceof Error && /^\w{1,64}$/.test(defect.name) ? defect.name : `thrown ${typeof defect}`
  const error = new Error(
    `The HttpClient under Gr4vy died with a ${name}. Its message is omitted, because it may quote the request: debug that client separately.`
  )
  const frames = defect instanceof Error ? /(?:\n {4}at [^\n]+)+$/.exec(defect.stack ?? "") : null
  error.stack = `Error: ${error.message}${frames?.[0] ?? ""}`
  return error
}
