/** Run by `workerd test`. */
import { core } from "./core.js"

export default {
  test: async (_: unknown, env: { readonly BASE_URL: string }) => console.log(JSON.stringify(await core(env.BASE_URL)))
}
