/**
 * `GET /card-form/{checkout_session_id}`: a card form for an iframe, in place of Gr4vy's Secure Fields. It sends the card
 * from the browser to the sandbox, and tells the page around it how that went: a message `{ type: "card-stored" }` or
 * `{ type: "card-refused" }`, never the card.
 */
import { createHmac, randomBytes } from "node:crypto"

/** The tokens of the card forms of one sandbox: each is good for the fields of one session, as long as the sandbox runs. */
export const formTokens = (): ((sessionId: string) => string) => {
  const key = randomBytes(32)
  return (sessionId) => createHmac("sha256", key).update(sessionId).digest("base64url")
}

/** The id of the session in the path of a card form; `undefined` for another path. */
export const sessionOfCardForm = (path: string): string | undefined =>
  /^\/card-form\/([A-Za-z0-9_-]{1,64})$/.exec(path)?.[1]

/**
 * The page. The id is a safe path segment and the token is base64url, so both can stand in the page as they are. The token
 * is the form's own way in: like Gr4vy's Secure Fields, it has no token of the merchant's.
 */
export const cardForm = (sessionId: string, token: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Card</title>
<style>
  * { box-sizing: border-box; font: inherit }
  body { margin: 0; font: 16px system-ui, sans-serif; color: #1f2328 }
  form { display: grid; grid-template-columns: 1fr 1fr; gap: 12px }
  label { display: grid; gap: 4px; font-size: 13px; color: #59636e }
  label:first-child, button, output { grid-column: 1 / -1 }
  input { font-size: 16px; color: #1f2328; border: 1px solid #d1d9e0; border-radius: 8px; padding: 10px 12px; width: 100% }
  input:focus { outline: 2px solid #0969da; outline-offset: -1px }
  button { border: 0; border-radius: 8px; padding: 12px; background: #1f883d; color: #fff; font-weight: 600; cursor: pointer }
  button:disabled { opacity: .6 }
  output { color: #cf222e; font-size: 13px; min-height: 1.2em }
</style>
<form>
  <label>Card number <input name="number" inputmode="numeric" autocomplete="cc-number" placeholder="4111 1111 1111 1111" required></label>
  <label>Expires <input name="expires" autocomplete="cc-exp" placeholder="12/30" required></label>
  <label>Security code <input name="code" inputmode="numeric" autocomplete="cc-csc" placeholder="123" required></label>
  <button>Pay</button>
  <output></output>
</form>
<script>
  const form = document.querySelector("form"), button = form.querySelector("button"), output = form.querySelector("output")
  const says = { 400: "The card was not accepted. Check it and try again.", 404: "This checkout has expired." }
  const tell = (type) => parent.postMessage({ type }, "*")
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    button.disabled = true
    output.value = ""
    const { number, expires, code } = Object.fromEntries(new FormData(form))
    const response = await fetch("/checkout/sessions/${sessionId}/fields", {
      method: "PUT",
      headers: { "content-type": "application/json", authorization: "Bearer ${token}" },
      body: JSON.stringify({
        payment_method: {
          method: "card",
          number: number.replace(/\\D/g, ""),
          expiration_date: expires.trim(),
          security_code: code.trim()
        }
      })
    }).catch(() => undefined)
    if (response?.ok) return tell("card-stored")
    button.disabled = false
    output.value = says[response?.status] ?? "The card could not be sent. Try again."
    tell("card-refused")
  })
</script>
`
