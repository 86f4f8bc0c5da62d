/** Pages of docs/ that are made from declarations: those in hw/spec, and of planted bugs. */
import { aplic, idc } from '../hw/spec/devices/aplic.ts'
import { clint } from '../hw/spec/devices/clint.ts'
import { finisher } from '../hw/spec/devices/finisher.ts'
import { imsic } from '../hw/spec/devices/imsic.ts'
import { iommu } from '../hw/spec/devices/iommu.ts'
import { nicFunction } from '../hw/spec/devices/nic-function.ts'
import { nic } from '../hw/spec/devices/nic.ts'
import { nvme } from '../hw/spec/devices/nvme.ts'
import { pcie, sriov } from '../hw/spec/devices/pcie.ts'
import { plic } from '../hw/spec/devices/plic.ts'
import { rtc } from '../hw/spec/devices/rtc.ts'
import { uart } from '../hw/spec/devices/uart.ts'
import { virtioMmio } from '../hw/spec/devices/virtio-mmio.ts'
import type { Csr } from '../hw/spec/csr.ts'
import { CSRS } from '../hw/spec/csrs/index.ts'
import { COMPRESSED } from '../hw/spec/isa/c.ts'
import { INSTRUCTIONS } from '../hw/spec/isa/index.ts'
import type { Field, Register } from '../hw/spec/registers.ts'
import { SOURCES } from '../hw/spec/sources.ts'
import { bugsPage } from './isolation/bugs/page.ts'

const CHIPS: Readonly<Record<string, Readonly<Record<string, Register>>>> = {
  'UART 16550': uart,
  PLIC: plic,
  'APLIC, one domain': aplic,
  'APLIC, delivery to one hart': idc,
  'IMSIC, one file': imsic,
  CLINT: clint,
  'Test finisher': finisher,
  RTC: rtc,
  'PCIe configuration space': pcie,
  'PCIe virtual functions (extended capability)': sriov,
  NVMe: nvme,
  IOMMU: iommu,
  '82576 network card': nic,
  '82576 virtual function': nicFunction,
  'virtio-mmio': virtioMmio,
}

const NOTE = 'Generated from `hw/spec` by `node lab/generate-docs.ts`: do not edit.'

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

const code = (text: string): string => (text === '' ? '' : `\`${text}\``)

function bits(field: { readonly name: string; readonly high: number; readonly low: number }): string {
  return field.high === field.low ? `${field.name}[${field.high}]` : `${field.name}[${field.high}:${field.low}]`
}

/** docs/instructions.md */
export function instructionsPage(): string {
  const extensions = [...new Set(INSTRUCTIONS.map(({ extension }) => extension))]
  const sections = extensions.map(extension => {
    const rows = INSTRUCTIONS.filter(instruction => instruction.extension === extension)
    return `## ${extension}\n\n${table(
      ['instruction', 'bits 31 to 0', 'operands', 'rule'],
      rows.map(({ name, pattern, operands, rule }) => [code(name), code(pattern), code(operands), rule]),
    )}`
  })
  const compressed = table(
    ['instruction', 'bits 15 to 0', 'operands', 'stands for', 'rule'],
    COMPRESSED.map(form => [code(form.name), code(form.pattern), code(form.operands), code(form.standsFor), form.rule]),
  )
  const manual = SOURCES[0]
  const intro = `${INSTRUCTIONS.length} instructions and ${COMPRESSED.length} compressed forms of them. Rules are those of ${manual.title}, ${manual.version}.`
  return ['# Instructions', NOTE, intro, ...sections, `## c\n\n${compressed}`].join('\n\n') + '\n'
}

function ruleOf({ rule }: Csr['fields'][number]): string {
  if (typeof rule === 'string') return rule
  return 'fixed' in rule ? `always ${rule.fixed}` : `warl ${rule.warl.join(', ')}`
}

/** docs/csrs.md */
export function csrsPage(): string {
  const rows = CSRS.toSorted((a, b) => a.number - b.number).map(csr => [
    code(csr.name),
    `0x${csr.number.toString(16).padStart(3, '0')}`,
    csr.fields.map(field => `${bits(field)} ${ruleOf(field)}`).join('; '),
    csr.alias ? `${csr.alias.of} & 0x${csr.alias.mask.toString(16)}` : '',
    csr.virtual ?? '',
    csr.rule,
  ])
  return `# CSRs\n\n${NOTE}\n\n${table(['CSR', 'number', 'fields', 'a view of', 'when V=1', 'rule'], rows)}\n`
}

function chipRow(register: Register): string[] {
  const places = register.count === undefined ? '' : ` + ${register.stride}·n, n < ${register.count}`
  return [
    code(register.name),
    `0x${register.at.toString(16)}${places}`,
    String(register.width),
    register.access,
    `0x${(register.reset ?? 0).toString(16)}`,
    Object.values<Field>(register.fields).map(bits).join(', '),
    register.spec,
  ]
}

/** docs/registers.md */
export function registersPage(): string {
  const heads = ['register', 'offset', 'width', 'access', 'reset', 'fields', 'section']
  const sections = Object.entries(CHIPS).map(
    ([chip, registers]) => `## ${chip}\n\n${table(heads, Object.values(registers).map(chipRow))}`,
  )
  return ['# Device registers', NOTE, ...sections].join('\n\n') + '\n'
}

/** Every generated page by its path. */
export const SPEC_PAGES: Readonly<Record<string, () => string>> = {
  'docs/instructions.md': instructionsPage,
  'docs/csrs.md': csrsPage,
  'docs/registers.md': registersPage,
  'docs/isolation-bugs.md': bugsPage,
}
