#!/usr/bin/env node
// The command. From source where the sources are, with a Node that strips types; else from the JavaScript that was packed.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = name => fileURLToPath(new URL(name, import.meta.url))

if (existsSync(here('main.ts'))) {
  const bundled = here('../node_modules/.bin/node')
  const node = existsSync(bundled) ? bundled : process.execPath
  const words = ['--import', here('counting/register.ts'), here('main.ts'), ...process.argv.slice(2)]
  const run = spawnSync(node, words, { stdio: 'inherit' })
  process.exitCode = run.status ?? 1
} else {
  await import('../dist/lab/main.js')
}
