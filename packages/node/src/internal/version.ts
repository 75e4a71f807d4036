/** Name and version of this package, for traces, tokens and the `User-Agent`. */
export const name = "@effect-gr4vy/node"
export const version = "0.1.0"
