import m0000 from "./0000_hubs.sql"
import m0001 from "./0001_fewer_rows.sql"
import m0002 from "./0002_push.sql"
import m0003 from "./0003_careful.sql"
import journal from "./meta/_journal.json"

export default {
  journal,
  migrations: {
    m0000,
    m0001,
    m0002,
    m0003,
  },
}
