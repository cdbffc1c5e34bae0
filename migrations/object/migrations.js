import m0000 from "./0000_initial.sql"
import m0001 from "./0001_move.sql"
import m0002 from "./0002_copies.sql"
import m0003 from "./0003_waiting_items.sql"
import m0004 from "./0004_refresh_limit.sql"
import m0005 from "./0005_tombstone.sql"
import m0006 from "./0006_refused_grants.sql"
import m0007 from "./0007_grant_life.sql"
import m0008 from "./0008_leases.sql"
import m0009 from "./0009_set_aside.sql"
import m0010 from "./0010_deaths.sql"
import m0011 from "./0011_alarm_part.sql"
import m0012 from "./0012_polls.sql"
import m0013 from "./0013_hubs.sql"
import m0014 from "./0014_rhythm.sql"
import m0015 from "./0015_fewer_rows.sql"
import journal from "./meta/_journal.json"

export default {
  journal,
  migrations: {
    m0000,
    m0001,
    m0002,
    m0003,
    m0004,
    m0005,
    m0006,
    m0007,
    m0008,
    m0009,
    m0010,
    m0011,
    m0012,
    m0013,
    m0014,
    m0015,
  },
}
