/** Each bug of the library, planted, is caught: by the scenario that is known to show it, or soon if generators have changed since. */
import { expect, test } from 'vitest'
import { hunt } from '../../lab/isolation/bugs/hunt.ts'
import { BUGS } from '../../lab/isolation/bugs/index.ts'

/** Bugs that show later than this are left to `barehart isolate`. */
const SOON = 60
const MILLISECONDS = 20_000

test.each(BUGS.filter(({ seed }) => seed > 0 && seed <= SOON))('$name: $promise, scenario $seed', async bug => {
  const caught = (await hunt(bug, bug.seed, bug.seed, Infinity)) ?? (await hunt(bug, 1, 4 * SOON, MILLISECONDS))
  expect(caught).toBeDefined()
})
