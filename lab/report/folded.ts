/** Ledgers as folded stacks, the format of flame graph tools (speedscope reads it): \`hart 0;vmm;ecall base;emulation 123\`. */
import type { Result } from '../study/measure.ts'

/** A frame may hold neither the separator nor a line's end. */
function frame(text: string): string {
  return text.replaceAll(/[;\r\n]/g, ',') || '(none)'
}

export function folded(results: readonly Result[]): string {
  return results
    .flatMap(({ configuration, harts, ledger }) =>
      ledger.map(({ hart, party, cause, activity, cycles }) => {
        const place = harts > 1 ? [`hart ${hart}`] : []
        return `${[configuration, ...place, party, cause, activity].map(frame).join(';')} ${cycles}\n`
      }),
    )
    .join('')
}
