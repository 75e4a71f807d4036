/** Name and version of this package, as traces, tokens and the `User-Agent` tell them. */
export const name = "@effect-gr4vy/node"
export const version = "0.1.0"
