/** Others' software on the same machine, beside ours. */
import { isWithin, type Part, ratioOf } from '../../calibrate/calibration.ts'
import { element, type Markup } from '../markup.ts'
import { quantity } from '../numbers.ts'
import type { ReportData } from '../report-data.ts'
import { list, paragraph, section, table } from './block.ts'

const TITLES: Readonly<Record<string, string>> = {
  kvm: 'Our hosted model and a real KVM',
  linux: "Our host's kernel and Debian's",
  'type-1': 'Our native VMM and a real type 1',
}

export function calibrationSection({ calibration = {} }: ReportData): Markup {
  const parts = Object.entries(calibration)
  if (parts.length === 0) {
    return section(
      'calibration',
      'Calibration',
      paragraph(
        'Not calibrated on this machine: nothing of others’ was run beside ours. ',
        element('code', {}, 'npx barehart calibrate'),
        ' runs real hypervisors and a real kernel, and says how near ours are.',
      ),
    )
  }
  return section(
    'calibration',
    'Calibration: others’ software on the same machine',
    paragraph('Judges, not sources: no price and no weight is fitted to them. The ratio is ours ÷ theirs, in cycles.'),
    parts.map(([name, part]) => [
      element('h3', {}, TITLES[name] ?? name),
      rowsOf(part),
      part.absent.length === 0 ? undefined : list(part.absent.map(absence => `${absence.name}: ${absence.why}`)),
      element(
        'div',
        { class: 'reproduce' },
        element('code', {}, `npx barehart calibrate --only ${name} --json`),
        element('span', {}, part.date),
        part.images.map(image =>
          element('span', {}, `${image.name} ${image.version}, sha256 ${image.sha256.slice(0, 16)}`),
        ),
      ),
    ]),
  )
}

function rowsOf({ rows }: Part): Markup {
  return table(
    ['operation', 'judge', 'theirs', 'ours', 'cycles', 'ratio', 'within 25 %', 'note'],
    rows.map(row => {
      const [[configuration, cycles] = ['none', NaN]] = Object.entries(row.ours)
      return [
        row.name,
        row.judge,
        quantity(row.real[row.judge] ?? NaN),
        configuration,
        quantity(cycles),
        ratioOf(row).toFixed(2),
        isWithin(row) ? (row.orBetter && ratioOf(row) < 1 ? 'yes, or better' : 'yes') : 'no',
        element('small', {}, row.note ?? ''),
      ]
    }),
    [1, 3, 6, 7],
  )
}
