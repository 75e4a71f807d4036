import { core } from "./core.js"

console.log(JSON.stringify(await core(process.argv[2] ?? "")))
