#!/usr/bin/env node
import { pollen } from "./pollen.ts"
import { run } from "./run.ts"

run(pollen)
