/**
 * Prints what somebody who installs `@effect-gr4vy/node` gets, as CycloneDX: `npm run --silent sbom > sbom.json`. It is
 * npm's own account of an installation from the packed tarballs, so that it knows nothing of this workspace's tools.
 */
import { rm } from "node:fs/promises"
import { makeConsumer, run } from "./consumer.js"

const consumer = await makeConsumer()
console.log(await run(consumer.dir, "npm", "sbom", "--omit=dev", "--sbom-format=cyclonedx"))
await rm(consumer.dir, { recursive: true, force: true })
