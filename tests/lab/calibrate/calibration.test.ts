import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isWithin, type Part, type Row } from '../../../lab/calibrate/calibration.ts'
import { kvmJudge } from '../../../lab/calibrate/kvm-judge.ts'
import { linuxJudge } from '../../../lab/calibrate/linux-judge.ts'
import { primitives } from '../../../lab/calibrate/linux-programs.ts'
import { rankings, rankingText } from '../../../lab/calibrate/ranking.ts'
import { calibrationFile, readCalibration, storeCalibration } from '../../../lab/calibrate/store.ts'
import { calibrationTable } from '../../../lab/calibrate/table.ts'
import { commandLine } from '../../../lab/command-line.ts'
import { neededBy } from '../../../lab/linux/libraries.ts'
import { programImage } from '../../../vmm/hosted/programs/elf.ts'

let folder: string
const cacheBefore = process.env['XDG_CACHE_HOME']

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'barehart-'))
  process.env['XDG_CACHE_HOME'] = folder
})

afterEach(() => {
  if (cacheBefore === undefined) delete process.env['XDG_CACHE_HOME']
  else process.env['XDG_CACHE_HOME'] = cacheBefore
  rmSync(folder, { recursive: true })
})

const row = (real: number, ours: number): Row => ({
  name: 'call',
  does: 'calls',
  real: { kvmtool: real, qemu: 1 },
  judge: 'kvmtool',
  ours: { hosted: ours, other: 1 },
})
const part = (rows: readonly Row[]): Part => ({ date: '2026-01-01', images: [], rows, absent: [], failures: [] })

test('near is within a quarter of the judge, either way, and of no other system', () => {
  const near = [75, 100, 125].map(ours => isWithin(row(100, ours)))
  const far = [74, 126].map(ours => isWithin(row(100, ours)))
  expect([near, far]).toEqual([
    [true, true, true],
    [false, false],
  ])
  expect(calibrationTable(part([row(100, 126), row(100, 80)]))).toMatch(/1\.26.*not\n.*0\.80.*within/)
})

test('a judge without images says in one line what is missing and what to do, and measures nothing', async () => {
  const silent = () => {}
  for (const judge of [kvmJudge, linuxJudge]) {
    const { rows, failures } = await judge.run(folder, silent)
    expect(rows).toEqual([])
    expect(failures).toEqual([`no Linux (Image, initrd) in ${folder}: run \`barehart linux --vmm\` first`])
  }
  writeFileSync(join(folder, 'Image'), 'Linux version 1.2\n')
  writeFileSync(join(folder, 'initrd'), 'BusyBox v3 ')
  const { images, failures } = await kvmJudge.run(folder, silent)
  expect(images.map(({ version }) => version)).toEqual(['1.2', '3'])
  expect(failures).toHaveLength(1)
  expect(failures[0]).toMatch(/^no hosted VMM in .*: run `barehart linux --vmm` .* as lkvm there$/)
  writeFileSync(join(folder, 'lkvm'), '#!/bin/sh')
  const bad = await kvmJudge.run(folder, silent)
  expect([bad.rows, bad.failures]).toEqual([
    [],
    [`${folder}/lkvm is not a static riscv64 program: docs/calibration.md says where it comes from`],
  ])
})

test('ours and the real ones are ranked alike, or it says where not', () => {
  const type1 = (name: string, real: Row['real'], native: number): Row => ({
    name,
    does: '',
    judge: 'Bao',
    real,
    ours: { native, 'native-shared': 999 },
  })
  const type2 = (name: string, kvmtool: number, hosted: number): Row => ({ ...row(kvmtool, hosted), name })
  const calibration = {
    kvm: part([type2('faster', 10, 12), type2('level', 100, 50), type2('turned', 5, 12)]),
    'type-1': part([
      type1('faster', { Bao: 5, Xvisor: 20 }, 2),
      type1('level', { Bao: 99 }, 50),
      type1('turned', { Bao: 9 }, 11),
      type1('elsewhere', { Bao: 1 }, 1),
    ]),
  }
  const [bao, xvisor] = rankings(calibration)
  expect(bao).toEqual({ project: 'Bao', same: ['faster', 'level'], other: ['turned'] })
  expect(xvisor && rankingText(xvisor)).toBe(
    'type 1 against type 2 comes out as with Xvisor and KVM in 0 of 1; not in faster',
  )
  expect(rankings({ kvm: calibration.kvm })).toEqual([])
})

test('an unknown judge is one line, and nothing is measured', async () => {
  const lines: string[] = []
  expect(await commandLine(['calibrate', '--only', 'jury'], line => lines.push(line))).toBe(2)
  expect(lines).toEqual(['barehart: --only jury: choose of kvm, linux, type-1'])
})

test('what is stored is read again, and what was not measured anew stays', () => {
  storeCalibration({ kvm: part([row(1, 2)]) })
  storeCalibration({ linux: part([row(3, 4)]) })
  expect(calibrationFile().startsWith(folder)).toBe(true)
  expect(readCalibration()).toEqual({ kvm: part([row(1, 2)]), linux: part([row(3, 4)]) })
})

test("the primitives are static ELF files of one segment, which holds the program's beginning", () => {
  for (const { program } of primitives()) {
    expect(neededBy(Buffer.from(program))).toEqual([])
    const { origin, entry, bytes, memory } = programImage(program)
    expect([entry, bytes.length]).toEqual([origin, memory])
    expect(bytes.length).toBe(program.length - 0x1000)
  }
})
