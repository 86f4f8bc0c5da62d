/** `prepack`: the project as JavaScript in dist/, its path length counted, since Node strips no types under node_modules. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { javascriptOf } from './counting/javascript.ts'
import { ROOT } from './counting/program.ts'

const FOLDERS = ['hw', 'vmm', 'drivers', 'guests', 'lab']
/** What only a source checkout needs. */
const TOOLS = /^lab\/(counting\/|(check|pack|generate-docs|spec-pages)\.ts$)/
const DIST = join(ROOT, 'dist')

rmSync(DIST, { recursive: true, force: true })
for (const folder of FOLDERS) {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  for (const name of names.filter(file => file.endsWith('.ts') && !TOOLS.test(`${folder}/${file}`))) {
    const path = join(DIST, folder, name.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, javascriptOf(`${folder}/${name}`))
  }
}
