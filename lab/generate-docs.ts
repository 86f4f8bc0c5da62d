/** `node lab/generate-docs.ts`: writes the pages of docs/ that are made from hw/spec. */
import { writeFileSync } from 'node:fs'
import { SPEC_PAGES } from './spec-pages.ts'

for (const [path, page] of Object.entries(SPEC_PAGES)) {
  writeFileSync(new URL(`../${path}`, import.meta.url), page())
  console.log(path)
}
