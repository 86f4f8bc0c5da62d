/** What processes of the host have open: who may use what, and how long it stays. */
import { expect, test } from 'vitest'
import {
  close,
  createDescriptorTable,
  descriptorTable,
  descriptorTableAt,
  inherit,
  install,
  isPermitted,
  letGo,
  lookUp,
  permit,
  recordOf,
} from '../../../vmm/hosted/objects/descriptor-tables.ts'
import {
  createOpenFiles,
  openFile,
  openNew,
  PIPE_READER,
  UDP_SOCKET,
  VIRTUAL_CPU,
} from '../../../vmm/hosted/objects/open-files.ts'
import {
  ANYBODY,
  createSecurity,
  mayUse,
  PROGRAM_DOMAIN,
  TO_CONTROL,
  TO_READ,
  TO_WRITE,
  VMM_DOMAIN,
} from '../../../vmm/hosted/objects/security.ts'
import { ramPort } from './ram-port.ts'

function host() {
  const { port } = ramPort()
  createOpenFiles(port)
  createSecurity(port)
  const table = (space: number, domain: number, identity: number) => {
    createDescriptorTable(port, descriptorTableAt(space), domain, identity)
    return descriptorTableAt(space)
  }
  const users = (file: number) => port.load32(file + openFile.users.at)
  return { port, table, users }
}

test("a VMM process uses its own guest's vCPU and no other's, whoever gave it the descriptor; each refusal is counted", () => {
  const { port, table } = host()
  const [first, second] = [table(0, VMM_DOMAIN, 1), table(1, VMM_DOMAIN, 2)]
  const program = table(2, PROGRAM_DOMAIN, ANYBODY)
  const vcpu = openNew(port, VIRTUAL_CPU, 0, 0, 1)
  const socket = openNew(port, UDP_SOCKET, 0, 0, ANYBODY)
  expect([first, second, program].map(at => mayUse(port, at, vcpu, TO_CONTROL))).toEqual([true, false, false])
  expect([first, second, program].map(at => mayUse(port, at, socket, TO_WRITE))).toEqual([false, false, true])
  expect(mayUse(port, program, socket, TO_READ)).toBe(false)
  expect([first, second, program].map(at => port.load32(at + descriptorTable.refused.at))).toEqual([1, 2, 2])
})

test('what a call has looked up stays open until the call is over, though another thread closes it', () => {
  const { port, table, users } = host()
  const own = table(0, PROGRAM_DOMAIN, ANYBODY)
  port.store32(own + descriptorTable.sharers.at, 2)
  const file = openNew(port, PIPE_READER, 0, 0, ANYBODY)
  install(port, own, 3, file)
  const found = lookUp(port, own, 3)
  expect(recordOf(found)).toBe(file)
  expect(close(port, own, 3)).toBe(true)
  expect([users(file), lookUp(port, own, 3), close(port, own, 3)]).toEqual([1, 0, false])
  expect(openNew(port, PIPE_READER, 1, 0, ANYBODY)).not.toBe(file)
  letGo(port, found)
  expect(openNew(port, PIPE_READER, 2, 0, ANYBODY)).toBe(file)
})

test('a child has open what its parent has, and may make the same calls', () => {
  const { port, table, users } = host()
  const parent = table(0, PROGRAM_DOMAIN, ANYBODY)
  permit(port, parent, 173)
  const file = openNew(port, PIPE_READER, 0, 0, ANYBODY)
  install(port, parent, 3, file)
  const child = descriptorTableAt(1)
  inherit(port, child, parent)
  close(port, parent, 3)
  expect([users(file), recordOf(lookUp(port, child, 3))]).toEqual([1, file])
  expect([172, 173, 256].map(call => isPermitted(port, child, call))).toEqual([false, true, false])
})
