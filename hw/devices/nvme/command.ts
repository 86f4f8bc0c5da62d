/** A command as fetched: the submission entry's words, decoded once. 64-bit members beyond 2^53 reach nothing. */
import { submissionEntry } from '../../spec/layouts/nvme.ts'
import { fieldOf } from '../../spec/registers.ts'

export type Command = {
  readonly queue: number
  readonly opcode: number
  readonly cid: number
  readonly fused: number
  readonly psdt: number
  readonly nsid: number
  readonly prp1: number
  readonly prp2: number
  readonly cdw10: number
  readonly cdw11: number
  readonly cdw12: number
  readonly cdw13: number
  readonly cdw14: number
}

/** Decodes the 64 bytes of an entry that came from `queue`. */
export function decode(queue: number, entry: Uint8Array): Command {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength)
  const word = (member: { readonly at: number }) => view.getUint32(member.at, true)
  const long = (member: { readonly at: number }) =>
    view.getUint32(member.at + 4, true) * 2 ** 32 + view.getUint32(member.at, true)
  const { OPC, FUSE, PSDT, CID } = submissionEntry.CDW0.fields
  const cdw0 = word(submissionEntry.CDW0)
  return {
    queue,
    opcode: fieldOf(OPC, cdw0),
    cid: fieldOf(CID, cdw0),
    fused: fieldOf(FUSE, cdw0),
    psdt: fieldOf(PSDT, cdw0),
    nsid: word(submissionEntry.NSID),
    prp1: long(submissionEntry.PRP1),
    prp2: long(submissionEntry.PRP2),
    cdw10: word(submissionEntry.CDW10),
    cdw11: word(submissionEntry.CDW11),
    cdw12: word(submissionEntry.CDW12),
    cdw13: word(submissionEntry.CDW13),
    cdw14: word(submissionEntry.CDW14),
  }
}
