#!/usr/bin/env node
/** The command line: the only place that ends this process. */
import { runCli } from "./cli.ts";
import { connect } from "./commands/connect.ts";
import { doctor } from "./commands/doctor.ts";

process.exit(await runCli(process.argv.slice(2), [connect, doctor]));
