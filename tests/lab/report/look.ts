/** What a browser makes of a page: nothing wider than it, no text cut off or under another. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CHROMIUM = 'chromium'

/** False if there is none to look with. */
export const BROWSER: boolean = spawnSync(CHROMIUM, ['--version'], { stdio: 'ignore' }).status === 0

/** Finds what lies badly, and leaves it in the document for who dumps it. */
const LOOK = `<script>
addEventListener('load', () => {
  const found = []
  for (const details of document.querySelectorAll('details')) details.open = true
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the window')
  for (const table of document.querySelectorAll('table'))
    if (table.scrollWidth > table.parentElement.clientWidth) found.push('a table is wider than the page: ' + table.innerText.slice(0, 40))
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect()
    const texts = [...svg.querySelectorAll('text')].map(text => ({ text: text.textContent, at: text.getBoundingClientRect() }))
    for (const { text, at } of texts)
      if (at.left < frame.left - 1 || at.right > frame.right + 1 || at.bottom > frame.bottom + 1) found.push('cut off: ' + text)
    texts.forEach((a, index) => texts.slice(index + 1).forEach(b => {
      const wide = Math.min(a.at.right, b.at.right) - Math.max(a.at.left, b.at.left)
      const high = Math.min(a.at.bottom, b.at.bottom) - Math.max(a.at.top, b.at.top)
      if (wide > 1 && high > 3) found.push('one over the other: ' + a.text + ' and ' + b.text)
    }))
  }
  document.body.innerHTML = '<pre id="found">' + JSON.stringify(found).replaceAll('&', '&amp;').replaceAll('<', '&lt;') + '</pre>'
})
</script>`

/** What lies badly on a page in a window so wide, as JSON. */
export function faultsOfPage(page: string, width: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'report-'))
  try {
    const path = join(folder, 'page.html')
    writeFileSync(path, page.replace('</body>', `${LOOK}</body>`))
    const words = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--window-size=${width},1000`,
      '--dump-dom',
      `file://${path}`,
    ]
    const { stdout } = spawnSync(CHROMIUM, words, { encoding: 'utf8', timeout: 60_000 })
    return /<pre id="found">(.*)<\/pre>/s.exec(stdout)?.[1]
  } finally {
    rmSync(folder, { recursive: true })
  }
}
