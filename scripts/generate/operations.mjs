/**
 * What the generator demands of every operation of the description.
 */
import { resend } from "./overlay/resend.mjs"
import { Unfit } from "./read.mjs"

const isKeyed = (operation) =>
  (operation.parameters ?? []).some(
    ({ in: place, name }) => place === "header" && name.toLowerCase() === "idempotency-key"
  )

/** The class by which the pipeline decides whether a request may be sent again. */
export const resendOf = (method, path, operation) => {
  if (method === "get" || method === "put" || method === "delete") return "idempotent"
  const given = resend[operation.operationId]
  if (isKeyed(operation)) {
    if (given === undefined) return "keyed"
    throw new Unfit(
      `${operation.operationId} declares idempotency-key, so overlay/resend.mjs must not class it as ${given}.`
    )
  }
  if (given !== undefined) return given
  throw new Unfit(
    `${operation.operationId} (${method.toUpperCase()} ${path}) has no resend class: add it to overlay/resend.mjs, as once if in doubt.`
  )
}

export const operationsOf = (description) =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation }))
  )

export const checkOperations = (description) => {
  const ids = new Set()
  for (const { method, operation, path } of operationsOf(description)) {
    if (ids.has(operation.operationId)) throw new Unfit(`Two operations are called ${operation.operationId}.`)
    ids.add(operation.operationId)
    resendOf(method, path, operation)
  }
  const gone = Object.keys(resend).find((id) => !ids.has(id))
  if (gone !== undefined) throw new Unfit(`overlay/resend.mjs classes ${gone}, which the description does not have.`)
}
