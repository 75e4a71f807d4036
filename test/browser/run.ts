/**
 * Looks at the sandbox's docs page in a headless Chromium without any network beyond loopback: it renders, and "try it"
 * creates a session. `npm run test:browser -- folder` keeps pictures. Then it buys something in the example's shop.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { access } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Console, Effect } from "effect"
import { type BrowserContext, chromium } from "playwright-core"
import { buy } from "./shop.js"

const candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
const pictures = process.argv[2]

const installed = Effect.firstSuccessOf(
  candidates.map((path) =>
    Effect.as(
      Effect.tryPromise(() => access(path)),
      path
    )
  )
)

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gr4vy-sandbox-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const browser = (executablePath: string) =>
  Effect.acquireRelease(
    Effect.flatMap(temporary, (profile) =>
      Effect.promise(() =>
        chromium.launchPersistentContext(profile, {
          executablePath,
          viewport: { width: 1280, height: 1400 },
          args: [
            ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
            ...["--disable-background-networking", "--disable-component-update"]
          ]
        })
      )
    ),
    (context) => Effect.promise(() => context.close())
  )

const look = Effect.fn(function* (context: BrowserContext) {
  const { baseUrl, seen } = yield* Sandbox.Sandbox
  const elsewhere: Array<string> = []
  // By another name than the sandbox's own: "try it" has to call the origin the page came from.
  const origin = baseUrl.replace("127.0.0.1", "localhost")
  yield* Effect.promise(async () => {
    const page = await context.newPage()
    const errors: Array<string> = []
    page.on("pageerror", (error) => errors.push(error.message))
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(origin)) elsewhere.push(request.url())
    })
    await page.goto(`${origin}/docs`)
    await page.getByRole("button", { name: "Authorize", exact: true }).click()
    await page.getByRole("textbox", { name: "auth-bearer-value" }).fill("any")
    await page.getByRole("button", { name: "Apply credentials" }).click()
    await page.getByRole("button", { name: "Close", exact: true }).last().click()
    await page.getByText("Create a new Checkout Session", { exact: true }).click()
    await page.getByRole("button", { name: "Try it out" }).click()
    await page.getByRole("button", { name: "Execute" }).click()
    await page.locator(".live-responses-table .response-col_status", { hasText: "201" }).waitFor()
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, "sandbox-docs.png") })
    if (errors.length > 0) throw new Error(`The page threw: ${errors.join(", ")}`)
  })
  const last = (yield* seen).at(-1)
  if (last?.method !== "POST" || last.status !== 201) return yield* Effect.dieMessage("Nothing was created.")
  if (elsewhere.length > 0) return yield* Effect.dieMessage(`The page asked elsewhere: ${elsewhere.join(", ")}`)
  yield* Console.log('The docs page renders offline, and its "try it" creates a session.')
})

Effect.runPromise(
  Effect.matchEffect(installed, {
    onFailure: () => Console.log(`Skipped: no Chromium is installed (looked for ${candidates.join(", ")}).`),
    onSuccess: (path) =>
      Effect.scoped(
        Effect.flatMap(browser(path), (context) =>
          Effect.zipRight(Effect.provide(look(context), Sandbox.layer()), buy(context, pictures))
        )
      )
  })
)
