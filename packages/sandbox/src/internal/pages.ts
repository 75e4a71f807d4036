/**
 * Pages for people: where a buyer approves a payment, and what the bank and the webhooks did.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { testCards } from "./api/cards.js"
import type { World } from "./api/world.js"

export interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The path of the page at which a buyer approves a transaction. */
export const approvalPath = (id: string): string => `/approve/${id}`

/** The page at a path; `undefined` where there is none. */
export const pages = async (method: string, url: URL, world: World): Promise<Page | undefined> => {
  if (method === "GET" && url.pathname === "/") return html(200, overview(await Effect.runPromise(stateOf(world))))
  const id = /^\/approve\/([\da-f-]{36})$/i.exec(url.pathname)?.[1]
  if (id === undefined) return undefined
  const { bank } = world
  const decision = method === "POST" ? url.searchParams.get("approved") : null
  const found = await Effect.runPromise(
    Effect.option(
      decision === "true" || decision === "false" ? bank.approve(id, decision === "true") : bank.transaction(id)
    )
  )
  return Option.match(found, {
    onNone: () => html(404, "<h1>No such payment</h1>"),
    onSome: ({ amount, currency, status }) => html(200, approval(id, status, money(amount, currency)))
  })
}

const stateOf = ({ bank, deliveries }: World) =>
  Effect.all({ transactions: bank.transactions, booked: bank.booked, deliveries })

const html = (status: number, body: string): Page => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Gr4vy sandbox</title>
<style>
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px system-ui, sans-serif; color: #1f2328 }
  table { border-collapse: collapse; width: 100%; font-size: 14px }
  th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid #d1d9e0; font-variant-numeric: tabular-nums }
  button { font: inherit; border: 0; border-radius: 8px; padding: 10px 16px; background: #1f883d; color: #fff; cursor: pointer }
  button[value=false] { background: #cf222e }
</style>
${body}
</html>
`
})

const approval = (id: string, status: string, amount: string): string =>
  status === "buyer_approval_pending"
    ? `<h1>Approve ${amount}?</h1>
<p>Your bank asks whether you want to pay.</p>
<form method="post"><button formaction="${approvalPath(id)}?approved=true" value="true">Approve</button>
<button formaction="${approvalPath(id)}?approved=false" value="false">Decline</button></form>`
    : `<h1>${amount}: ${escaped(status)}</h1><p>You can close this page.</p>`

const overview = (state: Effect.Effect.Success<ReturnType<typeof stateOf>>): string => `<h1>Gr4vy sandbox</h1>
<p><a href="/docs">The API's documentation</a></p>
<h2>Test cards</h2>
${table(
  ["Number", "What happens"],
  testCards.map(({ about, number }) => [number, about])
)}
<h2>Transactions</h2>
${table(
  ["ID", "Amount", "Status", "Captured", "Refunded"],
  state.transactions
    .slice(0, 50)
    .map(({ amount, captured_amount, currency, id, refunded_amount, status }) => [
      id,
      money(amount, currency),
      status,
      money(captured_amount, currency),
      money(refunded_amount, currency)
    ])
)}
<h2>The bank's book</h2>
${table(
  ["Kind", "Amount", "Transaction"],
  state.booked.slice(-50).map(({ amount, kind, transaction }) => [kind, String(amount), transaction])
)}
<h2>Webhooks</h2>
${table(
  ["Event", "URL", "Try", "Response"],
  state.deliveries
    .slice(-50)
    .map(({ attempt, name, status, url }) => [name, url, String(attempt), String(status ?? "none")])
)}`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  rows.length === 0
    ? "<p>None yet.</p>"
    : `<table><tr>${head.map((each) => `<th>${each}</th>`).join("")}</tr>${rows
        .map((row) => `<tr>${row.map((each) => `<td>${escaped(each)}</td>`).join("")}</tr>`)
        .join("")}</table>`

const money = (amount: number, currency: string): string => `${(amount / 100).toFixed(2)} ${escaped(currency)}`

const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`)
