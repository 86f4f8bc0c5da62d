#!/usr/bin/env node
// The command. From source where the sources are, in a Node that strips types; else from the JavaScript that was packed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = name => fileURLToPath(new URL(name, import.meta.url))

if (!existsSync(here('main.ts'))) {
  await import('../dist/lab/main.js')
} else if (process.features.typescript) {
  await import('./counting/register.ts')
  await import('./main.ts')
} else {
  const bundled = here('../node_modules/.bin/node')
  if (!existsSync(bundled)) throw new Error('the sources need the Node that comes with the packages: run npm ci first')
  const child = spawn(bundled, [here('barehart.js'), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('close', (code, signal) => {
    process.exitCode = code ?? (signal ? 130 : 1)
  })
}
