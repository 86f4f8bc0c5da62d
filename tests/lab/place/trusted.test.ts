import { expect, test } from 'vitest'
import { closure, linesOfCode, trustedLines, trustedModules } from '../../../lab/place/trusted.ts'

test('lines of code are those that are neither blank nor comment', () => {
  expect(linesOfCode('/** A\n * doc. */\nconst a = 1\n\n  // why\nconst b = 2 // here\n')).toBe(2)
})

test('types are not imported when it runs, and what is kept out takes with it what only it imports', () => {
  const all = closure(['vmm/native/placed/index'], () => false)
  expect(all).toContain('drivers/nvme')
  expect(all).not.toContain('vmm/core/placed-device')
  const without = closure(['vmm/native/placed/index'], module => /vmm-disk$|placed\/server/.test(module))
  expect(without).not.toContain('drivers/nvme')
  expect(without).toContain('drivers/nic')
})

test('a driver in the VMM has to be trusted, one in the guest or in the host of others not', () => {
  expect(trustedModules('vmm', 'nvme')).toContain('drivers/nvme')
  expect(trustedModules('passthrough-posted', 'nvme')).not.toContain('drivers/nvme')
  expect(trustedModules('passthrough-posted', 'nvme')).toContain('drivers/iommu')
  const [bare, own, vmm, host] = (['bare', 'passthrough-posted', 'vmm', 'host-kernel'] as const).map(name =>
    trustedLines(name, 'nvme'),
  )
  expect(bare).toBeGreaterThan(500)
  expect(own).toBeGreaterThan(bare)
  expect(vmm).toBeGreaterThan(own)
  expect(host).toBeGreaterThan(vmm)
})
