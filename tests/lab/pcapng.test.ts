import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cable } from '../../hw/devices/cable.ts'
import type { Port } from '../../hw/devices/cable.ts'
import { capture } from '../../lab/capture/pcapng.ts'
import { BenchTime } from '../hw/devices/bench.ts'

const nobody: Port = { receive() {}, carrier() {} }

function captured(): Buffer {
  const time = new BenchTime()
  const cable: Cable = new Cable(
    'cable0',
    time.clockFor(() => cable),
  )
  cable.attach(0, nobody)
  cable.attach(1, nobody)
  cable.faults = [{ kind: 'corrupt', from: 1, frame: 0 }]
  const pieces: Uint8Array[] = []
  capture(cable, ['nic0', 'station'], 1e9, piece => pieces.push(piece))
  cable.send(0, new Uint8Array(61).fill(7))
  time.pass(1000)
  cable.send(1, new Uint8Array(60))
  return Buffer.concat(pieces)
}

test('a capture is a chain of blocks: section, two interfaces, a packet a frame', () => {
  const file = captured()
  const blocks: { type: number; body: Buffer }[] = []
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4)
    expect(file.readUInt32LE(at + length - 4)).toBe(length)
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) })
    at += length
  }
  expect(blocks.map(({ type }) => type)).toEqual([0x0a0d_0d0a, 1, 1, 6, 6])
  const [first, second] = [blocks[3].body, blocks[4].body]
  expect([first.readUInt32LE(0), first.readUInt32LE(8), first.readUInt32LE(12)]).toEqual([0, 680, 61])
  expect([second.readUInt32LE(0), second.readUInt32LE(8), second.readUInt32LE(12)]).toEqual([1, 1672, 60])
})

const tshark = spawnSync('tshark', ['--version']).status === 0

test.skipIf(!tshark)('tshark reads it (skipped: tshark is not installed)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pcapng-'))
  try {
    const path = join(directory, 'capture.pcapng')
    writeFileSync(path, captured())
    const read = spawnSync('tshark', ['-r', path, '-T', 'fields', '-e', 'frame.interface_name', '-e', 'frame.len'], {
      encoding: 'utf8',
    })
    expect(read.stdout.trim().split('\n')).toEqual(['nic0\t61', 'station\t60'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
