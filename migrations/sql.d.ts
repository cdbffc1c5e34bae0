/** Migrations are imported as text: `wrangler.toml` has the rule. */
declare module "*.sql" {
  const text: string
  export default text
}
