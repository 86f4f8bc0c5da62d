/** A mistake in assembly source: one line with the place, the source text and the remedy. */
export class AssemblyError extends Error {
  readonly line: number

  constructor(line: number, text: string, complaint: string) {
    super(`line ${line}: "${text.trim()}": ${complaint}`)
    this.name = 'AssemblyError'
    this.line = line
  }
}

/** What is wrong, before it is known where: the assembler adds line and text. */
export class Complaint extends Error {}
