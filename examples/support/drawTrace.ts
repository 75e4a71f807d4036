/**
 * A trace as text: a tree on the left, how long each part took, and when it ran on the right.
 */
import { styleText } from "node:util"
import { duration, extent, type Row, rows, type TraceSpan } from "./trace.js"

type Style = Parameters<typeof styleText>[0]

const colored = process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === ""
const paint = (style: Style, text: string): string => (colored && text.trim() !== "" ? styleText(style, text) : text)

export const drawTrace = (spans: ReadonlyArray<TraceSpan>, columns = process.stdout.columns ?? 110): string => {
  const lines = rows(spans)
  const services = [...new Set(lines.map((_) => _.span.service))].filter((_) => _ !== "")
  const width = (cell: (row: Row) => string) => Math.max(0, ...lines.map((row) => cell(row).length))
  const [nameWidth, serviceWidth, resultWidth] = [width(label), width((_) => _.span.service), width((_) => _.result)]
  const used = nameWidth + serviceWidth + resultWidth + 20
  // A narrow terminal shows the tree alone.
  const barWidth = Math.min(48, columns - used)
  const bar = barWidth < 10 ? () => "" : scale(spans, barWidth)
  return lines
    .map((row) => {
      const name = paint("dim", row.branch) + (row.note ? paint("dim", row.text) : row.text)
      const pad = " ".repeat(nameWidth - label(row).length)
      if (row.note) return name
      const color: Style = row.span.failed ? "red" : (palette[services.indexOf(row.span.service)] ?? "cyan")
      const cells = [
        `${name}${pad}`,
        ...(serviceWidth === 0 ? [] : [paint(color, row.span.service.padEnd(serviceWidth))]),
        ...(resultWidth === 0 ? [] : [paint(row.span.failed ? "red" : "green", row.result.padEnd(resultWidth))]),
        duration(row.span).padStart(9),
        paint(color, bar(row.span).trimEnd())
      ]
      return cells.join("  ").trimEnd()
    })
    .join("\n")
}

const palette: ReadonlyArray<Style> = ["cyan", "magenta", "yellow", "blue"]
const label = (row: Row): string => row.branch + row.text

const scale = (spans: ReadonlyArray<TraceSpan>, width: number): ((span: TraceSpan) => string) => {
  const { nanos, start } = extent(spans)
  const column = (time: bigint) => Math.round((Number(time - start) / nanos) * width)
  return (span) => {
    const from = Math.min(column(span.start), width - 1)
    return " ".repeat(from) + "━".repeat(Math.max(1, column(span.end) - from))
  }
}
