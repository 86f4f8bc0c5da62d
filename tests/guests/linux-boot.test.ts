import { expect, test } from 'vitest'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { LINUX_BOOT, linuxBoot } from '../../lab/study/linux-boot.ts'
import { measure } from '../../lab/study/measure.ts'
import { workloadsOf } from '../../lab/study/names.ts'

const missing = fetchedLinux() ? '' : ' (skipped: run `barehart linux` first)'

test.skipIf(missing)(`Linux boots to its first program, and every cycle of it is in the ledger${missing}`, async () => {
  const { cycles, ledger, instructions } = await measure(linuxBoot(), 'native')
  expect(instructions).toBeGreaterThan(100_000_000)
  expect(ledger.reduce((sum, row) => sum + row.cycles, 0)).toBe(cycles)
})

test('`all` needs nothing fetched; a kernel that is missing is one line with what to do', () => {
  expect(workloadsOf(['all'])).not.toContain(LINUX_BOOT)
  const { XDG_CACHE_HOME } = process.env
  process.env['XDG_CACHE_HOME'] = '/nowhere'
  try {
    expect(() => workloadsOf([LINUX_BOOT])).toThrow('no Linux has been fetched; run npx barehart linux')
  } finally {
    if (XDG_CACHE_HOME === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = XDG_CACHE_HOME
  }
})
