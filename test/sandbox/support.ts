/** The sandbox in context, asked as any client would: by bare `fetch`. */
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"

/** One request with any bearer; `authorization: "none"` leaves it out. Fails when the connection is cut. */
export const request = (method: string, path: string, init: { headers?: Record<string, string>; body?: string } = {}) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    const headers = new Headers({ authorization: "Bearer any", ...init.headers })
    if (headers.get("authorization") === "none") headers.delete("authorization")
    return yield* Effect.tryPromise(async (signal) => {
      const response = await fetch(`${baseUrl}${path}`, { ...init, method, headers, signal })
      const text = await response.text()
      const body: Record<string, unknown> = text.startsWith("{") ? JSON.parse(text) : {}
      return { status: response.status, headers: Object.fromEntries(response.headers), text, body }
    })
  })

/** Creates a session and yields its path. */
export const created = Effect.map(
  request("POST", "/checkout/sessions"),
  ({ body }) => `/checkout/sessions/${body["id"]}`
)

/** The status of the answer, or "cut". */
export const outcome = (method: string, path: string, headers: Record<string, string> = {}) =>
  Effect.match(request(method, path, { headers }), {
    onFailure: () => "cut" as const,
    onSuccess: ({ status }) => status
  })

export const card = { method: "card", number: "4111111111111111", expiration_date: "11/30", security_code: "987" }
