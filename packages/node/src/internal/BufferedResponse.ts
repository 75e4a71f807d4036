export { BufferedResponse } from "@effect-gr4vy/core/BufferedResponse"
