/** The one place that opens D1 for queries. */
import { drizzle } from "drizzle-orm/d1";
import * as schema from "./schema.ts";

export const openDb = (d1: D1Database) => drizzle(d1, { schema });
