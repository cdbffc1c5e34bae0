import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { arrows, libraries } from "./arrows.ts"

interface Import {
  readonly file: string
  /** As it is written: a path that begins with a dot, or the name of a module. */
  readonly specifier: string
}

const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g

/** The imports of a file, those of types included. */
const importsOf = (root: string, file: string): ReadonlyArray<Import> =>
  [...readFileSync(join(root, file), "utf8").matchAll(importPattern)].map(([, specifier = ""]) => ({ file, specifier }))

const isRelative = ({ specifier }: Import): boolean => specifier.startsWith(".")
const targetOf = ({ file, specifier }: Import): string => join(dirname(file), specifier)
const isIn = (file: string, folder: string): boolean => file.startsWith(`${folder}/`)

/** The innermost room that `arrows` names. */
const roomOf = (file: string): string | undefined =>
  Object.keys(arrows)
    .filter((room) => isIn(file, room))
    .sort((one, other) => other.length - one.length)[0]

const checkDirection = (one: Import): ReadonlyArray<string> => {
  const room = roomOf(one.file)
  if (room === undefined) return []
  if (!isRelative(one)) {
    const allowed = libraries[room]
    return allowed === undefined || allowed.test(one.specifier)
      ? []
      : [`${one.file} imports ${one.specifier}: ${room} may use ${String(allowed)} alone`]
  }
  const target = targetOf(one)
  const others = arrows[room] ?? []
  if ([room, ...others].some((folder) => isIn(target, folder))) return []
  return [`${one.file} imports ${target}: ${room} may import ${others.join(", ") || "no other room"}`]
}

/** A folder inside a room, such as `src/object/grants` or `local/stack`; files directly in `src/object` belong to none. */
const folderOf = (file: string): string | undefined => /^(src\/[^/]+\/[^/]+|local\/[^/]+)\//.exec(file)?.[1]

/** Rings between folders of the same room: each as the imports that close it. */
const checkRings = (imports: ReadonlyArray<Import>): ReadonlyArray<string> => {
  const next = new Map<string, Map<string, string>>()
  for (const one of imports.filter(isRelative)) {
    const [from, to] = [folderOf(one.file), folderOf(targetOf(one))]
    if (from === undefined || to === undefined || from === to || dirname(from) !== dirname(to)) continue
    const reached = next.get(from) ?? new Map<string, string>()
    next.set(from, reached.set(to, `${one.file} imports ${targetOf(one)}`))
  }
  const reaches = (from: string, to: string, seen: Set<string>): boolean => {
    if (from === to) return true
    if (seen.has(from)) return false
    seen.add(from)
    return [...(next.get(from)?.keys() ?? [])].some((folder) => reaches(folder, to, seen))
  }
  return [...next].flatMap(([from, reached]) =>
    [...reached]
      .filter(([to]) => reaches(to, from, new Set()))
      .map(([to, example]) => `ring between folders: ${example}, and ${to} reaches ${from}`),
  )
}

/** What is wrong with the imports of these files: a sentence each. Paths are relative to `root`. */
export const checkRooms = (root: string, files: ReadonlyArray<string>): ReadonlyArray<string> => {
  const imports = files.filter((file) => file.endsWith(".ts")).flatMap((file) => importsOf(root, file))
  return [...imports.flatMap(checkDirection), ...checkRings(imports)]
}
