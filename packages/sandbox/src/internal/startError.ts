/** The platform's error of a server that cannot start, with a message that says why and what to do. */
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as Cause from "effect/Cause"

export class StartError extends HttpServerError.ServeError {
  declare readonly reason: Reason

  constructor(props: { readonly reason: Reason; readonly message: string; readonly cause: unknown }) {
    super(props)
  }
}

type Reason = "InvalidOption" | "PortInUse" | "PortNotAllowed" | "NoSuchHost" | "Other"

export const invalidOption = (problem: string): StartError => {
  const message = `Sandbox: ${problem}.`
  return new StartError({ reason: "InvalidOption", message, cause: new Cause.IllegalArgumentException(message) })
}

/** Node's error of `listen`, explained. */
export const cannotListen = (
  cause: NodeJS.ErrnoException,
  { host, port }: { readonly host: string; readonly port: number }
): StartError => {
  const error = (reason: Reason, problem: string) => new StartError({ reason, message: `Sandbox: ${problem}`, cause })
  switch (cause.code) {
    case "EADDRINUSE":
      return error(
        "PortInUse",
        `port ${port} is in use. Stop what listens there, or choose another port (0 is a free one).`
      )
    case "EACCES":
      return error("PortNotAllowed", `port ${port} is not allowed for this user. Choose a port above 1023.`)
    case "ENOTFOUND":
    case "EADDRNOTAVAIL":
      return error("NoSuchHost", `${host} is no address of this machine. Choose another host.`)
    default:
      return error("Other", `it cannot listen on ${host}, port ${port}: ${cause.message}.`)
  }
}
