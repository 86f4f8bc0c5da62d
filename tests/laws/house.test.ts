import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { ROOT } from './sources.ts'

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter(Boolean)

test('the top level holds what was agreed, and nothing else', () => {
  const agreed =
    /^(\..*|package\.json|package-lock\.json|tsconfig\.json|README\.md|LICENSE|hw|vmm|drivers|guests|tests|docs|lab)$/
  const top = new Set(tracked.map(path => path.split('/')[0] ?? ''))
  expect([...top].filter(name => !agreed.test(name))).toEqual([])
})

test('files are named in kebab-case, and none is called utils, helpers or manager', () => {
  const sources = tracked.filter(path => /^(hw|vmm|drivers|guests|lab|tests)\/.*\.ts$/.test(path))
  const odd = sources.filter(path => {
    const name = path.split('/').at(-1) ?? ''
    return (
      !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.bench|\.config|\.d)?\.ts$/.test(name) ||
      /\b(utils?|helpers?|manager)\b/.test(name)
    )
  })
  expect(odd).toEqual([])
})
