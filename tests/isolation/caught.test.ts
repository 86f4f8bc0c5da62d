/** Each bug of the library, planted, is caught by the scenario that is known to show it. */
import { expect, test } from 'vitest'
import { hunt } from '../../lab/isolation/bugs/hunt.ts'
import { BUGS } from '../../lab/isolation/bugs/index.ts'

test.each(BUGS.filter(({ seed }) => seed > 0))('$name: $promise, scenario $seed', async bug => {
  expect(await hunt(bug, bug.seed, bug.seed, Infinity)).toBeDefined()
})
