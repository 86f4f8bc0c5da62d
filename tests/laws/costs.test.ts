import { expect, test } from 'vitest'
import { sourceFiles } from './sources.ts'

/** A number given to something whose name says that it is time spent. How often a drive was switched on is no time. */
const COST =
  /\b(?!powerCycles\b)\w*(cycles?|cost|latency|penalty|overhead|retire)\w*\s*(?::\s*number\s*)?(?:[=:]|\()\s*-?\d/i

test('no file of vmm/, drivers/ or guests/ contains a cost, and none of hw/ but the price lists', () => {
  const priced = (path: string) => path.startsWith('hw/time/prices') || path.startsWith('hw/spec/')
  const found = ['hw', 'vmm', 'drivers', 'guests']
    .flatMap(sourceFiles)
    .filter(file => !priced(file.path))
    .flatMap(file =>
      file.text.split('\n').flatMap((line, index) => {
        const code = line.replace(/\/\/.*|^\s*\/?\*.*/, '')
        return COST.test(code) && !/[=:(]\s*0\b(?!x)/.test(code) ? [`${file.path}:${index + 1} ${line.trim()}`] : []
      }),
    )
  expect(found).toEqual([])
})
