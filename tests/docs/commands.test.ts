import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { barehart } from '../../lab/command-line.ts'

const TOP = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(TOP, 'docs/commands.md'), 'utf8')
const readme = readFileSync(join(TOP, 'README.md'), 'utf8')

test('every example runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'barehart-'))
  symlinkSync(join(TOP, 'docs'), join(folder, 'docs'))
  const script = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join('')
  const npx = `npx() { shift; "${process.execPath}" "${join(TOP, 'lab/barehart.js')}" "$@" < /dev/null; }`
  const { status, stderr } = spawnSync('bash', ['--norc', '-euc', `${npx}\n${script}`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 100_000,
  })
  rmSync(folder, { recursive: true })
  expect([status, stderr.replaceAll(/^\d.*M cycles a second\n/gm, '').trim()]).toEqual([0, ''])
})

test('the page has every command and option that there is, and no other', () => {
  const flags = barehart().commands.flatMap(command => command.options.map(({ long }) => long ?? ''))
  const shown = new Set([...page.matchAll(/--[a-z][a-z0-9-]+/g)].map(([flag]) => flag))
  expect([...shown].filter(flag => flag !== '--help').toSorted()).toEqual([...new Set(flags)].toSorted())
  for (const command of barehart().commands) expect(page).toContain(`npx barehart ${command.name()}`)
})

test('the README names only commands and options that there are', () => {
  const names = barehart().commands.map(command => command.name())
  for (const [, name = ''] of readme.matchAll(/npx barehart ([a-z]+)/g)) expect(names).toContain(name)
})
