/** `barehart linux`: fetches Debian's kernel and busybox, unmodified. */
import { Command } from 'commander'
import { calibrationDirectory } from '../calibrate/hosted-vmms.ts'
import { fetchLinux, linuxDirectory } from '../linux/debian.ts'
import { fetchVmm } from '../linux/vmm.ts'

interface LinuxOptions {
  readonly suite: string
  readonly to: string
  readonly vmm?: boolean
  readonly json?: boolean
}

export function linuxCommand(): Command {
  return new Command('linux')
    .description(
      "fetch Debian's riscv64 kernel, busybox and modules with the system's package tool, and make an initramfs",
    )
    .option('--suite <name>', 'the Debian suite: trixie has Linux 6.12', 'trixie')
    .option('--to <dir>', 'where to put Image and initrd', linuxDirectory())
    .option('--vmm', "also Debian's QEMU with its libraries, for barehart calibrate")
    .option('--json', 'print the paths as JSON')
    .action(async (options: LinuxOptions) => {
      const images = await fetchLinux(options.suite, options.to, line => console.error(line))
      const vmm = options.vmm ? fetchVmm(options.suite, calibrationDirectory(), line => console.error(line)) : undefined
      if (options.json) console.log(JSON.stringify({ ...images, ...(vmm !== undefined && { vmm }) }))
      else
        console.log(
          `kernel ${images.kernel}\ninitrd ${images.initrd}\ntry: npx barehart boot ${images.kernel} --initrd ${images.initrd} --append console=ttyS0`,
        )
      if (vmm !== undefined && !options.json) console.log(`vmm ${vmm}\ntry: npx barehart calibrate --only kvm`)
    })
}
