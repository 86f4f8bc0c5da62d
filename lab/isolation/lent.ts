/** What devices reach when nothing is asked of them: where guests lend pages for as long as a request lasts, none of theirs. */
import type { Arena } from './arena.ts'
import { GuestPages } from './guest-pages.ts'
import { contextsOf } from './owners/contexts.ts'
import { FIRST_GUEST, hex, PageMap } from './owners/page-map.ts'

/** A guest's page that a device still reaches through the IOMMU, after all requests; undefined: there is none. */
export function stillLent({ machine, pages }: Arena): string | undefined {
  const { memory } = machine
  // That nobody has what another has is looked at elsewhere.
  const map = new PageMap(memory, () => {})
  for (const [guest, own] of pages.entries())
    own.walk(({ host, bytes }) => map.claim(host, bytes, FIRST_GUEST + guest, 'a page'))
  let what: string | undefined
  for (const { requester, root } of contextsOf(machine, map) ?? []) {
    if (root < 0) continue
    new GuestPages(memory, root, 0).walk(({ guest: at, host }) => {
      const owner = map.ownerAt(host) ?? 0
      if (owner < FIRST_GUEST) return
      what ??= `device ${requester} still reaches guest ${owner - FIRST_GUEST}'s page ${hex(host)}, at ${hex(at)}, and no request is under way`
    })
  }
  return what
}
