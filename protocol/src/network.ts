/** A session's network setting as it crosses a process. What a level means is the Worker's policy; types without zod are in `modes.ts`. */
import * as z from "zod";
import { MAX_NETWORK_HOSTS } from "./limits.ts";
import { ALLOW_SCOPES, NETWORK_LEVELS, type Network } from "./modes.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const NAME = `(?:${LABEL}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?`;

/** A host by name, lower case, at least two labels, no port, no address: the last label starts with a letter. */
export const hostNameSchema = z
  .string()
  .max(253)
  .regex(new RegExp(`^${NAME}$`), "a host name such as example.com");

/** A host name, or `*.example.com` for every name below it. Ports are 80 and 443, whatever is listed. */
export const hostPatternSchema = z
  .string()
  .max(253)
  .regex(new RegExp(`^(?:\\*\\.)?${NAME}$`), "a host name such as example.com or *.example.com");

export const networkSchema = z.strictObject({
  level: z.enum(NETWORK_LEVELS),
  hosts: z.array(hostPatternSchema).max(MAX_NETWORK_HOSTS).default([]),
}) satisfies z.ZodType<Network>;
export const allowScopeSchema = z.enum(ALLOW_SCOPES);

export type { AllowScope, Network, NetworkLevel } from "./modes.ts";
