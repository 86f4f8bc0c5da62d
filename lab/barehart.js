#!/usr/bin/env node
// The command. From the emitted JavaScript where the package was packed; else from source, with a Node that strips types.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = name => fileURLToPath(new URL(name, import.meta.url))

if (existsSync(here('../dist/lab/main.js'))) {
  await import('../dist/lab/main.js')
} else {
  const bundled = here('../node_modules/.bin/node')
  const node = existsSync(bundled) ? bundled : process.execPath
  const run = spawnSync(node, ['--import', here('counting/register.ts'), here('main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = run.status ?? 1
}
