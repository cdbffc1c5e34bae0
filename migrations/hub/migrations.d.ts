declare const migrations: {
  readonly journal: { entries: Array<{ idx: number; when: number; tag: string; breakpoints: boolean }> }
  readonly migrations: Record<string, string>
}
export default migrations
