#!/usr/bin/env node
/** The command line: the only place that ends this process. */
import { runCli } from "./cli.ts";
import type { Command } from "./commands/command.ts";
import { completionOf } from "./commands/completion.ts";
import { audit } from "./commands/audit.ts";
import { connect } from "./commands/connect.ts";
import { desktop } from "./commands/desktop.ts";
import { doctor } from "./commands/doctor.ts";
import { keys } from "./commands/keys.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { service } from "./commands/service.ts";
import { sessions } from "./commands/sessions.ts";
import { status } from "./commands/status.ts";
import { resume, stop } from "./commands/stop.ts";
import { tokens } from "./commands/tokens.ts";
import { trust } from "./commands/trust.ts";

const commands: readonly Command[] = [
  login,
  connect,
  status,
  sessions,
  trust,
  keys,
  tokens,
  audit,
  stop,
  resume,
  logout,
  doctor,
  desktop,
  service,
  completionOf(() => commands),
];

process.exit(await runCli(process.argv.slice(2), commands));
