/**
 * The secrets of a local deployment: made once, kept in the data folder, readable by its owner only, never printed.
 * Without them stored keys cannot be opened and people are signed out, so they live beside the data they protect.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";

const secretsSchema = z.object({
  AUTH_SECRET: z.string(),
  KEY_ENCRYPTION: z.string(),
  KEY_FINGERPRINT: z.string(),
  MACHINE_TOKEN: z.string(),
});
type LocalSecrets = z.infer<typeof secretsSchema>;

const OWNER_ONLY = 0o600;

export function makeSecrets(now: Date): LocalSecrets {
  const kekId = `kek-${now.toISOString().slice(0, 7)}`;
  return {
    AUTH_SECRET: randomBytes(32).toString("base64url"),
    KEY_ENCRYPTION: `${kekId}:${randomBytes(32).toString("base64")}`,
    KEY_FINGERPRINT: randomBytes(32).toString("base64"),
    MACHINE_TOKEN: randomBytes(32).toString("base64url"),
  };
}

export interface SecretFiles {
  secrets: LocalSecrets;
  /** Read by the machine; holds MACHINE_TOKEN alone. */
  machineTokenFile: string;
}

export function ensureSecrets(dataDir: string): SecretFiles {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = path.join(dataDir, "secrets.json");
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(makeSecrets(new Date())), { mode: OWNER_ONLY, flag: "wx" });
  chmodSync(file, OWNER_ONLY);
  const secrets = secretsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const machineTokenFile = path.join(dataDir, "machine-token");
  writeFileSync(machineTokenFile, secrets.MACHINE_TOKEN, { mode: OWNER_ONLY });
  return { secrets, machineTokenFile };
}

/** Writes what the Worker reads as its environment. JSON strings are valid values of such a file. */
export function writeEnvironment(file: string, values: Record<string, string>): void {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: OWNER_ONLY });
  chmodSync(file, OWNER_ONLY);
}
