import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { commandLine } from '../../lab/command-line.ts'
import { barehart, elf, finish, folderOf, payload } from './command.ts'

const guest = (changes: object = {}) => ({ name: 'a', kernel: 'good.bin', memory: '32M', ...changes })
const described = (changes: object, machine: object = {}, more: object = {}) =>
  JSON.stringify({
    machine: { ram: '256M', disk: { size: '64M' }, ...machine },
    vmm: 'native',
    guests: [guest(changes)],
    ...more,
  })
const two = (first: object, second: object, machine: object = {}) =>
  described({}, machine, { guests: [guest(first), guest({ name: 'b', ...second })] })

const placed = (placement: object, machine: object = {}, more: object = {}) =>
  described({}, machine, { placement, ...more })

const BOOT: readonly (readonly [mistake: string, words: readonly string[], says: readonly string[]])[] = [
  ['an image that is not there', ['nowhere.bin'], ['image nowhere.bin does not exist', 'give the path']],
  ['a truncated ELF header', ['header.elf'], ['image header.elf: ELF header is cut off at 40', 'give a riscv64 ELF']],
  ['a truncated ELF segment', ['cut.elf'], ['image cut.elf: segment at 0x80200000', 'beyond the end', 'give a riscv64']],
  ["another machine's ELF", ['foreign.elf'], ['image foreign.elf: is an ELF file for machine 62', 'give a riscv64 ELF']],
  ['a truncated ELF as bios', ['good.bin', '--bios', 'cut.elf'], ['bios cut.elf', 'beyond the end']],
  ['an empty image', ['empty.bin'], ['image empty.bin: is empty', 'give a riscv64 ELF']],
  ['RAM too small for the image', ['big.bin', '--ram', '16M'], ['image big.bin', 'RAM is 0x80000000 to 0x81000000', 'raise --ram']],
  ['RAM of no size', ['good.bin', '--ram', '12X'], ['--ram: "12X" is not a size', 'such as 128M']],
  ['more RAM than there can be', ['good.bin', '--ram', '64G'], ['--ram: 64G', 'from 4M to 3G']],
  ['no harts', ['good.bin', '--harts', '0'], ['--harts 0', 'from 1 to 8']],
  ['a disk file that is not there', ['good.bin', '--disk', 'no.img'], ['disk no.img does not exist', 'give an image file']],
  ['a folder as disk', ['good.bin', '--disk', '.'], ['disk . is a directory', 'give an image file']],
  ['a disk that may not be written', ['good.bin', '--disk', process.execPath], [`disk ${process.execPath}`, 'written']],
  ['a disk of half a sector', ['good.bin', '--disk', 'odd.img'], ['disk odd.img has 1000 bytes', 'truncate -s']],
  ['an initrd that is not there', ['good.bin', '--initrd', 'no'], ['initrd no does not exist', 'give the path']],
  ['an exchange without an arrow', ['good.bin', '--send', 'x'], ['--send "x" is not SEEN=>TYPED', 'such as']],
  ['a model that there is not', ['good.bin', '--model', 'fast'], ['--model: there is no "fast"', 'choose of flat,cached']],
  ['an L2 in the flat model', ['good.bin', '--l2', 'shared'], ['--l2 shared: the flat model has no L2', 'add --model cached']],
  ['a limit of nothing', ['good.bin', '--limit-instructions', '0'], ['--limit-instructions 0', 'whole number from 1']],
] // biome-ignore format: a table

const RUN: readonly (readonly [mistake: string, description: string, says: readonly string[]])[] = [
  ['text that is not JSON', '{', ['bad.json: is not JSON']],
  ['a property that there is not', described({ colour: 1 }), ['bad.json: guests.0', '"colour"', 'barehart schema']],
  ['a property that is missing', described({ memory: undefined }), ['guests.0', "'memory'", 'barehart schema']],
  ['a device that there is not', described({}, { floppy: true }), ['bad.json: machine', '"floppy"', 'barehart schema']],
  ['a VMM that there is not', described({}, {}, { vmm: 'kvm' }), ['vmm must be one of native, hosted, none', '"kvm"']],
  ['a host that cannot be so', described({}, {}, { vmm: 'hosted', host: { form: 'both' } }), ['host.form must be one of module, switch', '"both"']],
  ['a host where there is none', described({}, {}, { host: { form: 'switch' } }), ['vmm is "native"', 'leave host out']],
  ['slots on two harts', described({}, { harts: 2 }, { timeProtection: { slot: 400 } }), ['timeProtection', 'machine.harts is 2', 'make it 1']],
  ['slots without room', described({}, {}, { timeProtection: { slot: 100 } }), ['timeProtection.slot 100', 'make it longer']],
  ['harts for vCPUs that are not pinned', described({}, {}, { vmm: 'hosted', host: { dedicated: true } }), ['host.dedicated', 'give a guest its harts']],
  ['a core that there is not', described({}, { core: 'z80' }), ['machine.core must be one of rocket, cva6', '"z80"']],
  ['an L2 in the flat model', described({}, { l2: 'private' }), ['machine.l2 "private"', 'add "model": "cached"']],
  ['a size that is none', described({ memory: 'much' }), ['guests.0.memory must be bytes', '"much"']],
  ['a workload that there is not', described({ kernel: 'sing' }), ['guest a: kernel sing does not exist', 'a workload: compute']],
  ['partitions that overlap', two({ disk: { first: 0, sectors: 100 } }, { disk: { first: 50, sectors: 100 } }), ['guest b: disk sectors 50 to 149 overlap', 'guest a (0 to 99)']],
  ['a partition beyond the disk', described({ disk: { first: 0, sectors: 200_000 } }), ['guest a: disk sectors 0 to 199999', '131072 (64M)', 'smaller']],
  ['a partition of no disk', described({ disk: { size: '1M' } }, { disk: undefined }), ['guest a: wants a disk', 'add machine.disk']],
  ['a disk file that is not there', described({}, { disk: { file: 'no.img' } }), ['machine.disk.file: no.img does not exist', 'truncate -s']],
  ['a folder as disk', described({}, { disk: { file: '.' } }), ['disk . is a directory', 'give an image file']],
  ['a disk that may not be written', described({}, { disk: { file: process.execPath } }), [process.execPath, 'written']],
  ['memory in no whole 2M', described({ memory: '33M' }), ['guest a: memory 33M is not a multiple of 2M']],
  ['a hart that there is not', described({ harts: [3] }, { harts: 2 }), ['guest a: hart 3 does not exist', '(0 to 1)']],
  ['two guests of a name', two({}, { name: 'a' }), ['two guests are called a', 'a name of its own']],
  ['two cards of an address', two({ network: { mac: '02:00:00:00:00:01' } }, { network: { mac: '02:00:00:00:00:01' } }), ['guest b', 'network.mac', 'of its own']],
  ['more memory than the machine has', described({ memory: '512M' }), ['make 544M, but machine.ram is 256M', 'raise machine.ram']],
  ["images larger than a guest's memory", described({ kernel: 'big.bin', memory: '16M' }), ['guest a: its images', 'need 24M', 'is 16M', 'give it more']],
  ["images larger than the machine's RAM", two({ kernel: 'big.bin' }, { kernel: 'big.bin' }, { ram: '96M' }), ['images end at 0x86800000', 'RAM ends at 0x86000000', 'raise machine.ram']],
  ['a bare machine too small', described({ kernel: 'big.bin' }, { ram: '32M' }, { vmm: 'none', machine: { ram: '16M' }, guests: [guest({ kernel: 'big.bin', memory: '16M' })] }), ['bad.json: kernel', 'RAM is', 'raise machine.ram']],
  ["a guest of another machine's ELF", described({ kernel: 'foreign.elf' }), ['guest a: kernel foreign.elf', 'machine 62', 'give a riscv64']],
  ['a guest linked elsewhere', described({ kernel: 'low.elf' }), ['guest a: kernel low.elf', 'link it']],
  ['a placement that there is not', placed({ disk: { at: 'attic' } }), ['placement.disk.at must be one of vmm, domain, server, guest, function', '"attic"']],
  ['a placement under another VMM', placed({ disk: {} }).replace('native', 'hosted'), ['placement says', 'vmm is "hosted"', 'host.backend']],
  ['a device passed through without an IOMMU', placed({ disk: { at: 'guest' } }), ['placement.disk.at "guest": without an IOMMU', 'add "iommu": true']],
  ['interrupts posted to no files', placed({ network: { at: 'guest', interrupts: 'posted' } }, { iommu: true, aia: 'aplic' }), ['there are no guest interrupt files', '"aia": "aplic-imsic"']],
  ['interrupts of a driver elsewhere', placed({ network: { at: 'server', interrupts: 'polled' } }), ['placement.network.interrupts "polled"', 'say "at": "guest"']],
  ['a virtual function of a disk', placed({ disk: { at: 'function' } }, { iommu: true }), ['have no virtual functions', 'say "at": "guest"']],
  ['more guests than functions', placed({ network: { at: 'function' } }, { iommu: true, network: 1 }, { guests: Array.from({ length: 8 }, (_, index) => guest({ name: `g${index}`, memory: '16M', network: true })) }), ['8 guests have one, but there are 7 virtual functions', 'let some guests go without']],
  ['two owners of a disk', placed({ disk: { at: 'guest' } }, { iommu: true }, { guests: ['a', 'b'].map(name => guest({ name, disk: { device: 0 } })) }), ['2 guests have one, but there are 1 NVMe controllers', 'more machine.disks']],
  ['two owners of one of two disks', placed({ disk: { at: 'guest' } }, { iommu: true, disk: undefined, disks: [{ size: '1M' }, { size: '1M' }] }, { guests: ['a', 'b'].map(name => guest({ name, disk: { device: 1 } })) }), ["guest b: disk.device 1 is guest a's", 'choose another']],
  ['a disk passed through that there is not', placed({ disk: { at: 'guest' } }, { iommu: true }, { guests: [guest({ disk: { device: 2 } })] }), ['guest a: disk.device 2 does not exist', '(0 to 0)']],
  ['a device for one that is shared', described({ network: { device: 0 } }), ['guest a: network.device', 'leave device out']],
  ['a disk and disks', described({}, { disks: [{ size: '1M' }] }), ['machine.disk and machine.disks', 'one of the two']],
  ['guest files of a PLIC', described({}, { guestFiles: 3 }), ['machine.guestFiles 3', '"aia": "aplic-imsic"']],
  ['AIA for the host', described({}, { aia: 'aplic' }, { vmm: 'hosted' }), ['machine.aia "aplic"', 'drives a PLIC']],
  ['two guests without a VMM', two({}, {}).replace('native', 'none'), ['vmm "none" runs one guest', 'choose native or hosted']],
] // biome-ignore format: a table

let folder = ''

beforeAll(() => {
  const good = payload(finish(0))
  const whole = elf(good)
  const low = whole.slice()
  new DataView(low.buffer).setBigUint64(0x40 + 24, 0x8010_0000n, true)
  folder = folderOf({
    'good.bin': good,
    'empty.bin': '',
    'big.bin': new Uint8Array(20 * 2 ** 20),
    'odd.img': new Uint8Array(1000),
    'header.elf': whole.subarray(0, 40),
    'cut.elf': whole.subarray(0, -4),
    'foreign.elf': elf(good, { machine: 62 }),
    'low.elf': low,
    ...Object.fromEntries(RUN.map(([, description], index) => [`${index}.json`, description])),
  })
  process.chdir(folder)
})

async function complaint(...words: readonly string[]): Promise<string> {
  const lines: string[] = []
  expect(await commandLine(words, line => lines.push(line))).toBe(2)
  expect(lines).toHaveLength(1)
  expect(lines[0]).not.toContain('\n')
  return lines[0] ?? ''
}

test.each(BOOT)('boot: %s is one line with value, place and remedy', async (_, words, says) => {
  const line = await complaint('boot', ...words)
  for (const text of says) expect(line).toContain(text)
  expect(existsSync(join(folder, 'no.img'))).toBe(false)
})

test.each(RUN.map((row, index) => [...row, index] as const))(
  'run: %s is one line with value, place and remedy',
  async (_, __, says, index) => {
    const line = await complaint('run', `${index}.json`)
    for (const text of says) expect(line).toContain(text.replace('bad.json', `${index}.json`))
    expect(existsSync(join(folder, 'no.img'))).toBe(false)
  },
)

test('compare: what there is not is one line with what there is', async () => {
  expect(await complaint('compare', 'sing')).toContain('no workload "sing"; choose of compute')
  expect(await complaint('compare', '--configurations', 'bare,type3')).toContain(
    '"type3"; choose of bare,native,native-shared,hosted',
  )
})

test('place: what there is not is one line with what there is', async () => {
  const place = (...words: readonly string[]) => complaint('place', ...words)
  expect(await place('disk-latency', '--device', 'tape')).toContain('--device tape: choose of nvme,nic')
  expect(await place('network-ping', '--device', 'nvme')).toContain('uses the device nic, not nvme; say --device nic')
  expect(await place('compute', '--device', 'nvme')).toContain(
    'no workload "compute" with requests to time; choose of disk',
  )
  const disk = ['disk-latency', '--device', 'nvme']
  expect(await place(...disk, '--placements', 'bare,attic')).toContain('"attic"; choose of bare,')
  expect(await place(...disk, '--service', 'prayer')).toContain(
    '--service prayer: choose of interrupt,adaptive,polling',
  )
  expect(await place(...disk, '--hart', '1')).toContain('--hart 1: give a whole number from 0 to 0')
  expect(await place(...disk, '--guests', '0')).toContain('--guests 0: give a whole number from 1 to 64')
})

test('a report where there can be no folder, and guests where nobody shares, are told before anything is measured', async () => {
  const file = join(folder, 'good.bin')
  expect(await complaint('compare', 'hypercall', '--report', file)).toContain(`--report ${file}: no folder can be made`)
  expect(await complaint('compare', 'hypercall', '--draws', 'many')).toContain('--draws many: give a whole number')
  expect(await complaint('consolidate', '--configurations', 'bare')).toContain('bare has nobody who shares the machine')
  expect(await complaint('consolidate', '--most', '0')).toContain('--most 0: give a whole number from 1')
})

test('the command exits with 2, and says nothing on standard output', () => {
  expect(barehart(folder, 'boot', 'foreign.elf')).toMatchObject({ code: 2, out: '' })
  const unknown = barehart(folder, 'boot', 'good.bin', '--colour')
  expect(unknown).toMatchObject({ code: 2, out: '' })
  expect(unknown.err).toContain("unknown option '--colour'")
})
