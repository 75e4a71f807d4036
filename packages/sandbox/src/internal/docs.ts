/**
 * The contract to read: `GET /openapi.json`, and `GET /docs` with everything it needs in one page, so that it works
 * offline.
 */

import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import * as HttpServer from "@effect/platform/HttpServer"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CheckoutSessionsApi } from "../CheckoutSessionsApi.js"

/** An API of any groups. */
export type Api = Context.Tag.Service<HttpApi.Api>["api"]

const known = Option.getOrElse(Context.getOption(CheckoutSessionsApi.annotations, OpenApi.Servers), () => [])

/** Answers as the server that was asked, so that "try it" calls this sandbox under the name the browser knows it by. */
export const answer = async (served: Api, origin: string, request: Request): Promise<Response> => {
  const api = served.annotate(OpenApi.Servers, [{ url: origin, description: "This sandbox" }, ...known])
  const { dispose, handler } = HttpApiBuilder.toWebHandler(
    Layer.mergeAll(
      HttpApiSwagger.layer({ path: "/docs" }),
      HttpApiBuilder.middlewareOpenApi({ path: "/openapi.json" }),
      HttpServer.layerContext
    ).pipe(
      Layer.provideMerge(Layer.succeed(HttpApi.Api, { api, context: Context.empty() })),
      Layer.provideMerge(Layer.setTracerEnabled(false))
    )
  )
  try {
    return await handler(request)
  } finally {
    await dispose()
  }
}
