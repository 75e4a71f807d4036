/**
 * The values of requests and responses that are none of a session.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * A duration in a request: a `Duration`, or a number with its unit, e.g. `"2 hours"`; a number alone is milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export type DurationInput = Duration.Duration | number | `${number} ${Duration.Unit}`
