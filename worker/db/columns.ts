/** Kinds of columns that tables share. Times are epoch milliseconds. */
import { customType, integer, text } from "drizzle-orm/sqlite-core";

export const at = (name: string) => integer(name);
export const flag = (name: string) => integer(name, { mode: "boolean" });
export const authTime = (name: string) => integer(name, { mode: "timestamp_ms" });
export const bytes = customType<{ data: Uint8Array<ArrayBuffer>; driverData: ArrayBuffer | number[] }>({
  dataType: () => "blob",
  toDriver: (value) => value.slice().buffer,
  // D1 hands a blob back as an array of numbers.
  fromDriver: (value) => new Uint8Array(value),
});

/** The envelope of a stored secret (keys/envelope.ts). All null once destroyed. */
export const envelopeColumns = {
  fmt: integer("fmt").notNull(),
  kekId: text("kek_id"),
  dekIv: bytes("dek_iv"),
  dekCt: bytes("dek_ct"),
  dataIv: bytes("data_iv"),
  dataCt: bytes("data_ct"),
  rowVersion: integer("row_version").notNull(),
};
