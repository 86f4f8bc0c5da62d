/** Harts that have nobody to run sleep: whatever those did who are gone. */
import type { Arena } from './arena.ts'

const LOOKS = 8
const APART = 30_000

/** Goes on a while after a run, and says of which hart it is that nobody who is pinned there goes on and it never sleeps. */
export function restless(arena: Arena): string | undefined {
  const { machine, topology, guests } = arena
  const leftTo = (hart: number) =>
    topology.guests.every(({ harts }, guest) => {
      if (harts.length === 0) return false
      return harts.every((pinned, vcpu) => pinned !== hart || guests[guest].record.ended || arena.isDone(guest, vcpu))
    })
  const suspects = new Set(machine.harts.map(({ id }) => id).filter(leftTo))
  for (let look = 0; look < LOOKS && suspects.size > 0; look++) {
    machine.run({ untilCycle: machine.now() + APART })
    for (const { id, asleep } of machine.harts) if (asleep) suspects.delete(id)
  }
  const [hart] = suspects
  return hart === undefined ? undefined : `hart ${hart} does not come to rest, though nobody runs there any more`
}
