import { describe, it } from "@effect/vitest"
import { Gr4vy } from "@effect-gr4vy/node"
import { scenarioNames } from "../../support/FaultServer.js"
import { settles } from "../../support/faultTable.js"

describe("whatever the server does, a call settles with the right outcome and no extra request", () => {
  it.live.each(scenarioNames)("%s", (scenario) => settles(scenario, Gr4vy.make))
})
