import { expect, test } from 'vitest'
import { decodeFdt, encodeFdt, fdtNode } from '../../../hw/spec/layouts/fdt.ts'
import {
  DEFAULT_HOST_POLICY,
  type HostPolicy,
  hostPolicyNode,
  hostPolicyOf,
} from '../../../hw/spec/layouts/host-policy.ts'

const through = (chosen: Parameters<typeof fdtNode>[2]) =>
  hostPolicyOf(decodeFdt(encodeFdt(fdtNode('', {}, [fdtNode('chosen', {}, chosen)]))))

test('a policy is read from the device tree as it was written, and is the default where nothing was', () => {
  const policy: HostPolicy = {
    form: 'switch',
    backend: 'kernel',
    io: 'direct',
    pages: 'small',
    build: 'plain',
    dedicated: true,
  }
  expect(through([hostPolicyNode(policy)])).toEqual(policy)
  expect(through([hostPolicyNode({ io: 'direct' })])).toEqual({ ...DEFAULT_HOST_POLICY, io: 'direct' })
  expect(through([])).toEqual(DEFAULT_HOST_POLICY)
})

test('a policy that there is not is refused by name', () => {
  expect(() => through([fdtNode('host-policy', { form: 'hybrid' })])).toThrow(
    /form "hybrid": it is one of module, switch/,
  )
})
