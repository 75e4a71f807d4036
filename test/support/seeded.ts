/** For `npm run mutate`: every run has the same random cases. */
import { FastCheck } from "effect"

FastCheck.configureGlobal({ seed: 1 })
