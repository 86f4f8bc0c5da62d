import { expect, test } from 'vitest'
import { sourceFiles } from './sources.ts'

/** What makes a run depend on more than its configuration and seed. */
const BANNED =
  /\b(Date\b|performance\.|Math\.(random|sin|cos|tan|exp|log|pow|atan|asin|acos|cbrt|sinh|cosh|tanh|hypot)\b|Promise\b|async\b|await\b|localeCompare|WeakRef|setTimeout|setInterval|node:fs|node:child_process|node:worker)/

test('nothing below lab/ knows a clock, randomness, a promise or the host', () => {
  const found = ['hw', 'vmm', 'drivers', 'guests'].flatMap(sourceFiles).flatMap(file =>
    file.text.split('\n').flatMap((line, index) => {
      const code = line.replace(/\/\/.*|^\s*\/?\*.*|'(?:[^'\\]|\\.)*'/g, '')
      return BANNED.test(code) || /from 'node:(fs|child_process|worker_threads)/.test(line)
        ? [`${file.path}:${index + 1} ${line.trim()}`]
        : []
    }),
  )
  expect(found).toEqual([])
})
