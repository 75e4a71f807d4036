/**
 * A request that knows its endpoint. The pipeline uses it for retries and traces.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import type * as UrlParams from "@effect/platform/UrlParams"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { format, NodeInspectSymbol } from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Pipeable from "effect/Pipeable"
import type { RequestFailed } from "../Errors.js"
import type * as Endpoint from "../internal/endpoint.js"

/**
 * The reason why a 2xx is unusable.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unusable {
  /** A description of the body, e.g. `an HTML page instead of a CheckoutSession`, without quoting it. */
  readonly found: string
  /** Whether it is the response to another request, which means that its connection is out of sync. */
  readonly misdirected: boolean
  /** The properties of the API's own JSON that do not fit, by path and expectation, without their values. */
  readonly problem?: string
  /** Decodes a body whose schema does asynchronous work: whether it is usable is known later. */
  readonly later?: Effect.Effect<unknown, Unusable>
}

/**
 * @since 0.1.0
 * @category models
 */
export class EndpointRequest extends Pipeable.Class() implements HttpClientRequest.HttpClientRequest {
  readonly [HttpClientRequest.TypeId]: HttpClientRequest.TypeId = HttpClientRequest.TypeId
  // A private field, so that inspecting a request shows no card.
  readonly #body: HttpBody.HttpBody
  /** Runs just before each attempt's request goes out. */
  readonly beforeSend: ((attempt: number) => Effect.Effect<void, RequestFailed>) | undefined
  /** The merchant account of this call, checked; `undefined` leaves it to the fiber and the client. */
  readonly merchantAccountId: string | undefined
  /** The time limit of one attempt of this call, in milliseconds; it replaces every other. */
  readonly attemptTimeout: number | undefined

  constructor(
    readonly endpoint: Endpoint.Any,
    /** The path, with its parameters encoded. */
    readonly url: string,
    readonly urlParams: UrlParams.UrlParams,
    readonly headers: Headers.Headers,
    body: HttpBody.HttpBody,
    /** Path and query as a trace may show them: a secret in them is written as `{name}`. */
    readonly shownUrl: string,
    options: Pick<EndpointRequest, "beforeSend" | "merchantAccountId" | "attemptTimeout">,
    /** The secrets that were read from the call's arguments, in the program's form and in the wire's. */
    readonly secrets: () => ReadonlyArray<string>,
    /** Reads a 2xx by the endpoint's schema. */
    readonly decode: (status: number, text: string) => Either.Either<unknown, Unusable>
  ) {
    super()
    this.#body = body
    this.beforeSend = options.beforeSend
    this.merchantAccountId = options.merchantAccountId
    this.attemptTimeout = options.attemptTimeout
  }

  get method(): HttpMethod {
    return this.endpoint.method
  }

  get body(): HttpBody.HttpBody {
    return this.#body
  }

  get hash(): Option.Option<string> {
    return Option.none()
  }

  toJSON(): unknown {
    const { method, path } = this.endpoint
    return { _id: "@effect-gr4vy/core/EndpointRequest", method, path }
  }

  override toString(): string {
    return format(this.toJSON())
  }

  [NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
}

/**
 * Checks that a request still knows its endpoint. A plain request does not, nor one that was changed afterwards.
 *
 * @since 0.1.0
 * @category guards
 */
export const isEndpointRequest = (request: HttpClientRequest.HttpClientRequest): request is EndpointRequest =>
  request instanceof EndpointRequest
