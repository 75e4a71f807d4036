/**
 * The ten incidents of `npm run example 14 NAME`: the output of each leads to its cause, by itself or by one row of
 * docs/operations.md.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { show } from "@effect-gr4vy/examples/14-operations"
import { type Incident, incidents, type Name } from "@effect-gr4vy/examples/14-operations/incidents"
import { Effect } from "effect"

const operations = readFileSync(fileURLToPath(new URL("../../docs/operations.md", import.meta.url)), "utf8")

interface Lead {
  /** What a person sees first. */
  readonly shown: RegExp
  /** The row of the table of symptoms that it leads to. */
  readonly row: RegExp
  readonly calls?: number
}

const get = "GET /checkout/sessions/\\{checkout_session_id\\}"
const warning = (rest: string): RegExp => new RegExp(`^WARN  ${get} ${rest}`, "m")

const leads: Readonly<Record<Name, Lead>> = {
  "wrong-key": {
    shown: warning("failed with 401: check the token, or the private key that signs it$"),
    row: /every call fails with `Unauthorized` \(401\)/
  },
  clock: {
    shown: warning(
      "is sent again with a new token after 401: this machine's clock is (?:599|600|601) s behind the API's$"
    ),
    row: /requests get a 401, calls succeed .*The clock of this machine is wrong/
  },
  "503-storm": {
    shown: warning("is not retried after 503: the retry budget is empty, because too many requests fail"),
    row: /5xx .*is not retried after 503/,
    calls: 60
  },
  "slow-api": {
    shown: /^http\.client\.request\.duration {2}GET \S+ 200 +2 in 5\.\d+ s$/m,
    row: /requests are slow .*"Latency of requests"/
  },
  dns: {
    shown: warning("is not retried after Connect \\((?:ENOTFOUND|EAI_AGAIN)\\)"),
    row: /`Connect` .*`ENOTFOUND` and `EAI_AGAIN`: DNS/
  },
  resets: {
    shown: /^WARN {2}POST \S+ is not retried after Disconnected .*the request may have reached the API/m,
    row: /outcome unknown.*Read the resource before you repeat the call/
  },
  "rate-limit": {
    shown: warning("is not retried after 429: the API asks for a wait of 60000 ms, longer than the policy grants$"),
    row: /429 .*The API limits this client/
  },
  html: {
    shown: warning("failed with status 200 and an HTML page"),
    row: /responses are 200 .*captive portal/
  },
  redirect: {
    shown: warning("failed with 302: redirects are never followed, so check the base URL and any proxy$"),
    row: /3xx .*redirects, e.g. to a login page/
  },
  "wrong-merchant-account": {
    shown: warning(
      "failed with 403: check that the token has the scopes this call needs, and that the merchant account acme-eu is one of this instance$"
    ),
    row: /403 .*The merchant account belongs to another instance/
  }
}

describe("an incident leads to its cause", () => {
  for (const [name, incident] of Object.entries<Incident>(incidents)) {
    const { calls = 2, row, shown } = leads[name as Name] // A key of `incidents`.
    it.live(
      name,
      () =>
        Effect.gen(function* () {
          const printed: Array<string> = []
          yield* Effect.promise(() => show({ ...incident, calls }, (text) => printed.push(text)))
          assert.match(printed.join("\n"), shown)
          assert.isDefined(
            operations.split("\n").find((line) => line.startsWith("| ") && row.test(line)),
            String(row)
          )
          assert.include(operations, `\`${name}\``)
        }),
      30_000
    )
  }
})
