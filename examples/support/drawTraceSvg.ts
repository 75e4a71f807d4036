/**
 * A trace as a picture: a waterfall that a browser or a README can show.
 */
import { duration, extent, rows, type TraceSpan } from "./trace.js"

const rowHeight = 26
const nameWidth = 490
const barWidth = 420
const palette = ["#0969da", "#8250df", "#9a6700", "#1a7f37"]

export const drawTraceSvg = (title: string, spans: ReadonlyArray<TraceSpan>): string => {
  const lines = rows(spans)
  const services = [...new Set(lines.map((_) => _.span.service))].filter((_) => _ !== "")
  const { nanos, start } = extent(spans)
  const x = (time: bigint) => nameWidth + (Number(time - start) / nanos) * barWidth
  const top = services.length === 0 ? 56 : 80
  const height = top + lines.length * rowHeight + 16
  const width = nameWidth + barWidth + 110

  const body = lines.map((row, index) => {
    const y = top + index * rowHeight
    const color = row.span.failed
      ? "#cf222e"
      : (palette[services.indexOf(row.span.service) % palette.length] ?? palette[0])
    const indent = 16 + row.depth * 16 + (row.note ? 16 : 0)
    if (row.note) return `<text x="${indent}" y="${y + 17}" class="note">↻ ${escape(row.text)}</text>`
    const length = Math.max(2, x(row.span.end) - x(row.span.start))
    const result =
      row.result === "" ? "" : ` <tspan fill="${row.span.failed ? "#cf222e" : "#1a7f37"}">${escape(row.result)}</tspan>`
    const attributes = Object.entries(row.span.attributes).map(([key, value]) => `${key}: ${String(value)}`)
    return [
      index % 2 === 0 ? `<rect x="0" y="${y}" width="${width}" height="${rowHeight}" fill="#f6f8fa"/>` : "",
      `<g><title>${escape([row.span.name, ...attributes].join("\n"))}</title>`,
      `<text x="${indent}" y="${y + 17}">${escape(row.text)}${result}</text>`,
      `<rect x="${x(row.span.start).toFixed(1)}" y="${y + 7}" width="${length.toFixed(1)}" height="12" rx="2" fill="${color}"/>`,
      `<text x="${(x(row.span.start) + length + 6).toFixed(1)}" y="${y + 17}" class="time">${duration(row.span)}</text></g>`
    ].join("")
  })
  const legend = services.map(
    (service, index) =>
      `<rect x="${16 + index * 130}" y="50" width="12" height="12" rx="2" fill="${palette[index % palette.length]}"/>` +
      `<text x="${34 + index * 130}" y="61">${escape(service)}</text>`
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">
<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,monospace;fill:#1f2328}.h{font-weight:600;font-size:15px}.time,.note{fill:#59636e;font-size:11px}</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="16" y="30" class="h">${escape(title)}</text>
${[...legend, ...body].join("\n")}
</svg>
`
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
