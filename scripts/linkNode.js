// Runs after `npm install` in a checkout, and nowhere else, under whatever Node the system has: plain JavaScript, and nothing but Node's own modules.
// Every platform's Node package names its program `node`. npm 10 installs all of them, takes those of other platforms away again,
// and with them the link that the right one needs; then npm scripts would run under the system's Node, which may be too old.
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const { optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"))
const platform = process.platform === "win32" ? "win" : process.platform
const name = Object.keys(optionalDependencies).find((one) => one.endsWith(`-${platform}-${process.arch}`))
const program = join(name ?? "", "bin", platform === "win" ? "node.exe" : "node")
const link = join("node_modules/.bin", platform === "win" ? "node.cmd" : "node")

if (name === undefined || !existsSync(join("node_modules", program))) {
  if (Number(process.versions.node.split(".")[0]) < 24) {
    process.stderr.write(
      `pollen needs Node 24, which has no package for ${process.platform} ${process.arch}: install it.\n`,
    )
  }
} else if (!existsSync(link)) {
  if (platform === "win") writeFileSync(link, `@"%~dp0\\..\\${program}" %*\r\n`)
  else symlinkSync(join("..", program), link)
}
