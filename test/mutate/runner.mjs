/**
 * Stryker's test runner. It starts Vitest once and keeps it: worker.ts loads the tests, then runs them for one mutant after
 * the other. Stryker's own Vitest runner loads all modules again for each mutant, which takes seconds.
 */
import { BroadcastChannel } from "node:worker_threads"
import { createVitest } from "vitest/node"

class WarmRunner {
  static inject = ["options"]
  #channel = new BroadcastChannel("mutate")
  #reply = () => {}
  #files
  #vitest

  constructor({ testFiles }) {
    this.#files = testFiles
  }

  capabilities() {
    return { reloadEnvironment: true }
  }

  async init() {
    this.#channel.onmessage = ({ data }) => {
      if (data.name === "ready" || data.name === "result") this.#reply(data.result)
    }
    const ready = new Promise((resolve) => {
      this.#reply = resolve
    })
    this.#vitest = await createVitest("test", { config: "vitest.mutate.config.ts", watch: false })
    const ended = this.#vitest.start().then(() => {
      throw new Error("Vitest ended before the last mutant")
    })
    ended.catch(() => {})
    await Promise.race([ready, ended])
  }

  dryRun() {
    return this.#ask({ name: "dryRun", files: this.#files })
  }

  async mutantRun({ activeMutant, hitLimit, reloadEnvironment, sandboxFileName, testFilter }) {
    // The tests of its own package have to kill a mutant: all others together take too long.
    const [, name] = /packages[\\/](\w+)[\\/]src/.exec(sandboxFileName)
    const files = this.#files.filter((file) => file.startsWith(`test/${name}/`))
    const tests = reloadEnvironment ? undefined : testFilter
    const result = await this.#ask({ name: "mutantRun", files, mutant: activeMutant.id, hitLimit, tests })
    // Stryker starts a new process and tries again.
    if (result.status === "broken") throw new Error(`This test fails without the mutant as well: ${result.test}`)
    return result
  }

  async dispose() {
    this.#channel.postMessage({ name: "end" })
    this.#channel.close()
    await this.#vitest?.close()
  }

  #ask(question) {
    return new Promise((resolve) => {
      this.#reply = resolve
      this.#channel.postMessage(question)
    })
  }
}

export const strykerPlugins = [{ kind: "TestRunner", name: "warm", injectableClass: WarmRunner }]
