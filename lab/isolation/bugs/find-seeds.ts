/** For people: says of bugs, by name, which scenario of their promise is the first to show each. Run with lab/counting/register.ts imported. */
import { bugOf } from './index.ts'
import { hunt } from './hunt.ts'

const SECONDS = 60

for (const name of process.argv.slice(2)) {
  const caught = await hunt(bugOf(name), 1, Infinity, SECONDS * 1000)
  console.log(`${name}: ${caught ? `seed ${caught.seed}, ${caught.what}` : `not within ${SECONDS} s`}`)
}
