/**
 * A response whose whole body is here already, as `@effect/platform` knows responses.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import { Attempts } from "@effect-gr4vy/core/Gr4vyHttpClient"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type { Outgoing } from "./transport.js"

export class BufferedResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  /** How many requests it took to get here. */
  public [Attempts]: number = 1

  constructor(
    readonly sent: Outgoing,
    readonly status: number,
    private readonly rawHeaders: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
    private readonly body: string
  ) {
    super()
  }

  get request(): HttpClientRequest.HttpClientRequest {
    return this.sent.whole
  }

  get headers(): Headers.Headers {
    return Headers.fromInput(this.rawHeaders)
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie([this.rawHeaders["set-cookie"] ?? []].flat())
  }

  get remoteAddress(): Option.Option<string> {
    return Option.none()
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.succeed(this.body)
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.try({
      try: (): unknown => (this.body === "" ? null : JSON.parse(this.body)),
      catch: () => new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode" })
    })
  }

  get urlParamsBody() {
    return this.web.urlParamsBody
  }

  get formData() {
    return this.web.formData
  }

  get stream() {
    return this.web.stream
  }

  get arrayBuffer() {
    return this.web.arrayBuffer
  }

  toJSON(): unknown {
    return { _id: "@effect/platform/HttpClientResponse", status: this.status }
  }

  private get web(): HttpClientResponse.HttpClientResponse {
    return HttpClientResponse.fromWeb(
      this.request,
      new Response(this.body === "" ? null : this.body, { status: this.status, headers: { ...this.headers } })
    )
  }
}
