/** A bar chart as an SVG that reads well on light and dark pages. */
export const chart = (bars: ReadonlyArray<readonly [label: string, micros: number]>): string => {
  const width = 760
  const left = 190
  const bar = 22
  const step = 34
  const top = 44
  const height = top + bars.length * step + 16
  const longest = Math.max(...bars.map(([, value]) => value))
  const scale = (width - left - 90) / longest
  const rows = bars.map(([label, value], index) => {
    const y = top + index * step
    const fill = label.startsWith("effect-gr4vy") ? "#2563eb" : "#94a3b8"
    return `  <text x="${left - 10}" y="${y + 16}" text-anchor="end">${label}</text>
  <rect x="${left}" y="${y}" width="${(value * scale).toFixed(1)}" height="${bar}" rx="3" fill="${fill}"/>
  <text x="${(left + value * scale + 8).toFixed(1)}" y="${y + 16}">${value.toFixed(0)} µs</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="CPU microseconds of one get of a real session, by client">
  <style>text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #64748b } .title { font-weight: 600; font-size: 15px }</style>
  <text class="title" x="10" y="24">CPU of one get of a real session (2.5 kB), 32 in flight (less is better)</text>
${rows.join("\n")}
</svg>
`
}
