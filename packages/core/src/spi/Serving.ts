/**
 * The parts of a call that a server of endpoints needs as well.
 *
 * @since 0.1.0
 */

export {
  /**
   * Makes the arguments of an endpoint's function of their record.
   *
   * @since 0.1.0
   * @category requests
   */
  argumentsOf
} from "../internal/arguments.js"
export {
  /**
   * `JSON.parse`, with the failure as a value.
   *
   * @since 0.1.0
   * @category requests
   */
  parseJson
} from "../internal/body.js"
export {
  /**
   * Whether a value can be sent as `Idempotency-Key`.
   *
   * @since 0.1.0
   * @category requests
   */
  isKey
} from "../internal/callOptions.js"
export {
  /**
   * Splits the template of a path into its texts and the names between them.
   *
   * @since 0.1.0
   * @category requests
   */
  splitTemplate
} from "../internal/encodeRequest.js"
export {
  /**
   * The problems of a value, each with its path, without the value.
   *
   * @since 0.1.0
   * @category errors
   */
  problems
} from "../internal/explain.js"
export {
  /**
   * Whether a member of a record of endpoints is an endpoint, and no record of others.
   *
   * @since 0.1.0
   * @category endpoints
   */
  isEndpoint,
  /**
   * Lists the endpoints of a record, nested ones with the names that lead to them.
   *
   * @since 0.1.0
   * @category endpoints
   */
  listOf,
  type Named
} from "../internal/nested.js"
export {
  /**
   * The status that an error schema is annotated with.
   *
   * @since 0.1.0
   * @category errors
   */
  statusOf
} from "../internal/status.js"
