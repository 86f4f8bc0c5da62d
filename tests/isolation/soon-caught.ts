/** What both halves of the library are tried with: each bug is caught by the scenario that is known to show it, or soon if generators have changed since. */
import { expect, test } from 'vitest'
import { hunt } from '../../lab/isolation/bugs/hunt.ts'
import { BUGS } from '../../lab/isolation/bugs/index.ts'

/** Bugs that show later than this are left to `barehart isolate`. */
const SOON = 60
const MILLISECONDS = 20_000

/** Two files, since each has a thread of its own. */
export function testBugs(half: 0 | 1): void {
  const soon = BUGS.filter(({ seed }) => seed > 0 && seed <= SOON).filter((_, index) => index % 2 === half)
  test.each(soon)('$name: $promise, scenario $seed', async bug => {
    const caught = (await hunt(bug, bug.seed, bug.seed, Infinity)) ?? (await hunt(bug, 1, 4 * SOON, MILLISECONDS))
    expect(caught).toBeDefined()
  })
}
