import { describe, expect, it } from 'vitest'
import { SUPERVISOR, VIRTUAL } from '../../../hw/hart/state.ts'
import type { MarkListener, TrapListener } from '../../../hw/machine.ts'
import { Switches } from '../../../lab/calibrate/switches.ts'

const GUEST = VIRTUAL + SUPERVISOR
const TIMER = -5
const WFI = 22
const STORE_PAGE_FAULT = 15
const NUMBER = 10

describe('Switches between guests', () => {
  let trap: TrapListener = () => {}
  let mark: MarkListener = () => {}
  const observed = () =>
    new Switches({ onTrap: listener => void (trap = listener), onMark: listener => void (mark = listener) }, NUMBER)

  it('begin with the last trap before the other guest sleeps, and end where time is found missing', () => {
    const switches = observed()
    trap(0, GUEST, TIMER, 1000)
    trap(0, GUEST, TIMER, 5000)
    trap(0, SUPERVISOR, STORE_PAGE_FAULT, 5100)
    trap(0, GUEST, WFI, 8000)
    trap(0, GUEST, WFI, 8100)
    mark(0, 'end', NUMBER, 11_000)
    expect([switches.operations, switches.each]).toEqual([2, 3000])
  })

  it('do not count a gap in which nobody slept, nor one before the benchmark', () => {
    const switches = observed()
    trap(0, GUEST, TIMER, 1000)
    mark(0, 'end', NUMBER, 3000)
    trap(0, GUEST, TIMER, 5000)
    trap(0, GUEST, WFI, 8000)
    mark(0, 'end', 0, 11_000)
    mark(0, 'end', NUMBER, 12_000)
    expect([switches.operations, switches.each]).toEqual([0, undefined])
  })
})
