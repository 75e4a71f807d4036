/**
 * Processes to kill, and a Postgres to run them on.
 */
import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process"
import { once } from "node:events"
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { Data, Effect, Option, Schedule } from "effect"

export class ProcessFailed extends Data.TaggedError("ProcessFailed")<{ readonly message: string }> {}

export interface Server {
  readonly baseUrl: string
  /** Sends the signal and returns once the process has ended. */
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Sends the signal, at once. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Returns once the process has ended, for any reason. */
  readonly gone: Effect.Effect<void>
  /** What it has printed so far. */
  readonly output: () => string
}

/** Starts `entry` of this example and returns once it listens. The scope kills it. */
export const startServer = (env: Record<string, string>, entry = "shop/server.js") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = fork(join(import.meta.dirname, "..", entry), {
        env: { PATH: process.env["PATH"], ...env },
        silent: true
      })
      const output: Array<Buffer> = []
      child.stdout?.on("data", (chunk) => output.push(chunk))
      child.stderr?.on("data", (chunk) => output.push(chunk))
      return { child, exit: once(child, "exit"), output: () => Buffer.concat(output).toString("utf8") }
    }),
    ({ child, exit }) => Effect.promise(() => stop(child, exit))
  ).pipe(
    Effect.flatMap(({ child, exit, output }) =>
      Effect.tryPromise({
        try: () => Promise.race([once(child, "message"), exit.then(() => Promise.reject(new Error()))]),
        catch: () => new ProcessFailed({ message: `${entry} ended before it was ready:\n${output()}` })
      }).pipe(
        Effect.map(
          ([baseUrl]): Server => ({
            baseUrl: String(baseUrl),
            kill: (signal) =>
              Effect.promise(() => {
                child.kill(signal)
                return exit
              }),
            signal: (signal) => void child.kill(signal),
            gone: Effect.promise(() => exit),
            output
          })
        )
      )
    )
  )

const stop = async (child: ChildProcess, exit: Promise<unknown>, signal: NodeJS.Signals = "SIGKILL") => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await exit
  }
}

/** A port that is free now. The server keeps it across restarts. */
export const freePort = Effect.promise(async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
})

/** A directory that is deleted with the scope. It belongs to `uid`, if given. */
export const temporaryDirectory = (uid?: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "durable-checkout-"))
      if (uid !== undefined) chownSync(directory, uid, uid)
      return directory
    }),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

export interface Database {
  readonly name: string
  /** The directory of all its files. */
  readonly directory: string
  readonly env: Record<string, string>
}

export const sqlite = Effect.map(
  temporaryDirectory(),
  (directory): Database => ({
    name: "SQLite",
    directory,
    env: { DATABASE_FILE: join(directory, "checkout.db") }
  })
)

/** Starts a new Postgres as an ordinary user, if it is installed (`apt-get install postgresql`). */
export const postgres = Effect.gen(function* () {
  const bin = findPostgres()
  if (bin === undefined) return Option.none<Database>()
  // Postgres refuses to run as root.
  const uid = process.getuid?.() === 0 ? 65534 : undefined
  const user = uid === undefined ? {} : { uid, gid: uid }
  const directory = yield* temporaryDirectory(uid)
  const data = join(directory, "data")
  const port = yield* freePort
  yield* Effect.try({
    try: () =>
      execFileSync(join(bin, "initdb"), ["-D", data, "-U", "checkout", "-A", "trust", "-E", "UTF8"], {
        ...user,
        cwd: directory,
        stdio: "pipe"
      }),
    catch: (error) => new ProcessFailed({ message: `initdb failed: ${error}` })
  })
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(
        join(bin, "postgres"),
        ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-k", directory],
        { ...user, cwd: directory, stdio: "ignore" }
      )
      return { child, exit: once(child, "exit") }
    }),
    ({ child, exit }) => Effect.promise(() => stop(child, exit, "SIGINT"))
  )
  yield* Effect.try(() => {
    execFileSync(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)], { stdio: "ignore" })
  }).pipe(Effect.retry(Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(100))))
  return Option.some<Database>({
    name: "Postgres",
    directory: data,
    env: { DATABASE_URL: `postgres://checkout@127.0.0.1:${port}/postgres` }
  })
})

const findPostgres = () => {
  const debian = "/usr/lib/postgresql"
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []
  const path = (process.env["PATH"] ?? "").split(delimiter)
  return [...versions, ...path].find((directory) =>
    ["initdb", "postgres", "pg_isready"].every((program) => existsSync(join(directory, program)))
  )
}

/** Counts how often each string occurs in the files of a directory, by bytes. */
export const searchBytes = (directory: string, texts: ReadonlyArray<string | Buffer>) =>
  Effect.sync(() => {
    const contents = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
    return {
      files: contents.length,
      bytes: contents.reduce((total, { length }) => total + length, 0),
      found: texts.map((text) => contents.filter((content) => content.includes(text)).length)
    }
  })
