/**
 * The parts of endpoints that are no models: parameters of a path, bodies without a description.
 */
import { anything, type Field, free, silent, uuid as uuidField } from "@effect-gr4vy/core/spi/Model"
import * as Schema from "effect/Schema"

/** The id of a resource. */
export const uuid: Schema.Schema<string> = Schema.make(silent(uuidField().ast))

/** Any one segment of a path. */
export const segment: Schema.Schema<string> = Schema.make(silent(Schema.String.ast))

const untyped = <A>(field: Field): Schema.Schema<A, unknown> => Schema.make(silent(field.ast))

/** An object that the API does not describe. */
export const anyObject: Schema.Schema<Readonly<Record<string, unknown>>, unknown> = untyped(free())

/** A JSON value that the API does not describe. */
export const anyJson: Schema.Schema<unknown, unknown> = untyped(anything())

/** UUIDs are the same in either case. An answer without an id says nothing. */
export const isSame = (id: string | undefined, expected: string): boolean =>
  id === undefined || id === expected || id.toLowerCase() === expected.toLowerCase()

/** Whether an answer is this transaction, has it inside, or names it. */
export const isOf = (
  answer: {
    readonly type?: string | undefined
    readonly id?: string | undefined
    readonly transactionId?: string | undefined
    readonly transaction?:
      | { readonly id: string; readonly reauthorizedFromTransactionId?: string | undefined }
      | undefined
    readonly reauthorizedFromTransactionId?: string | undefined
  },
  expected: string
): boolean => {
  const { transaction = answer, transactionId } = answer
  // A capture may authorize anew: its transaction then names the one of the path.
  const ids = [transactionId ?? transaction.id, transaction.reauthorizedFromTransactionId]
  return ids.some((id) => id !== undefined && isSame(id, expected)) || (transactionId ?? transaction.id) === undefined
}
