/** `barehart linux`: fetches Debian's kernel and busybox, unmodified. */
import { Command } from 'commander'
import { fetchLinux, linuxDirectory } from '../linux/debian.ts'

interface LinuxOptions {
  readonly suite: string
  readonly to: string
  readonly json?: boolean
}

export function linuxCommand(): Command {
  return new Command('linux')
    .description(
      "fetch Debian's riscv64 kernel, busybox and modules with the system's package tool, and make an initramfs",
    )
    .option('--suite <name>', 'the Debian suite: trixie has Linux 6.12', 'trixie')
    .option('--to <dir>', 'where to put Image and initrd', linuxDirectory())
    .option('--json', 'print the paths as JSON')
    .action(async (options: LinuxOptions) => {
      const images = await fetchLinux(options.suite, options.to, line => console.error(line))
      if (options.json) console.log(JSON.stringify(images))
      else
        console.log(
          `kernel ${images.kernel}\ninitrd ${images.initrd}\ntry: npx barehart boot ${images.kernel} --initrd ${images.initrd} --append console=ttyS0`,
        )
    })
}
