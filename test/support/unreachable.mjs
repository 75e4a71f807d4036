// Listens and accepts nothing for a while: once its queue is full, the system drops whoever connects. Then it answers.
import { createServer } from "node:http"

const [, , host, port, millis] = process.argv
const server = createServer((_, response) => response.end(host))
server.listen({ host, port: Number(port), backlog: 1 }, () => {
  process.send(server.address().port, () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(millis))
  })
})
