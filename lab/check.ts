/** `npm run check`: types, lint, format and the laws, side by side; prints only what failed. */
import { spawn } from 'node:child_process'

const CHECKS: readonly (readonly [name: string, command: string, ...words: string[]])[] = [
  ['types', 'tsc', '-p', '.'],
  ['lint', 'oxlint', '--type-aware'],
  ['format', 'biome', 'format', '--config-path=.biome.json', '.'],
  ['laws', 'vitest', 'run', '--config', 'tests/vitest.config.ts', 'tests/laws'],
]

function run([name, command, ...words]: (typeof CHECKS)[number]): Promise<boolean> {
  return new Promise(resolve => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', error => {
      console.error(`${name}: ${command} cannot be run (${error.message}); run npm ci first`)
      resolve(false)
    })
    child.on('close', code => {
      console.log(`${name}: ${code === 0 ? 'good' : 'failed'}`)
      if (code !== 0) process.stdout.write(Buffer.concat(output))
      resolve(code === 0)
    })
  })
}

const results = await Promise.all(CHECKS.map(run))
process.exitCode = results.every(Boolean) ? 0 : 1
