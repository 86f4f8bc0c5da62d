import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readType1Images } from '../../../lab/calibrate/type-1-images.ts'
import { UserError } from '../../../lab/user-error.ts'

describe('a folder of type-1 images', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'barehart-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const list = (text: string) => writeFileSync(join(folder, 'type-1.json'), text)
  const bao = { project: 'Bao', version: '1', configuration: 'as it comes', image: 'bao.bin' }
  const mistake = (): string => {
    try {
      readType1Images(folder)
    } catch (error) {
      expect(error).toBeInstanceOf(UserError)
      return (error as Error).message.replaceAll(folder, 'FOLDER')
    }
    throw new Error('it was read')
  }

  it('names project, version and configuration of each image', () => {
    list(JSON.stringify([bao]))
    writeFileSync(join(folder, 'bao.bin'), 'code')
    expect(readType1Images(folder)).toEqual([
      { project: 'Bao', version: '1', configuration: 'as it comes', image: Buffer.from('code') },
    ])
  })

  it('says what is missing, where, and what to do', () => {
    const remedy = 'docs/calibration-type-1.md says what is expected there'
    expect(mistake()).toBe(`list of images FOLDER/type-1.json does not exist; ${remedy}`)
    list('[')
    expect(mistake()).toMatch(/^FOLDER\/type-1.json is not JSON: .*; docs\/calibration-type-1.md says/)
    list('[]')
    expect(mistake()).toBe(`FOLDER/type-1.json is not a list of images; ${remedy}`)
    list(JSON.stringify([{ ...bao, project: 'Xen' }]))
    expect(mistake()).toBe(`FOLDER/type-1.json, entry 1: project "Xen" is none of Xvisor, Bao; ${remedy}`)
    list(JSON.stringify([{ ...bao, version: 1 }]))
    expect(mistake()).toBe(`FOLDER/type-1.json, entry 1: "version" is not a text; ${remedy}`)
    list(JSON.stringify([bao]))
    expect(mistake()).toBe(`FOLDER/type-1.json, entry 1: image FOLDER/bao.bin does not exist; ${remedy}`)
  })
})
