/** Signatures of the Standard Webhooks specification: HMAC-SHA256 over id, time and body, with a secret of the receiver's. */

export const SECRET_PREFIX = "whsec_";
export const SECRET_BYTES = 32;

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export const formatSecret = (key: Uint8Array): string => SECRET_PREFIX + toBase64(key);

/** The three headers of one attempt. The time is the attempt's, so that receivers may refuse what is old. */
export async function signedHeaders(
  key: Uint8Array<ArrayBuffer>,
  message: { id: string; body: string },
  nowMs: number,
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signed = new TextEncoder().encode(`${message.id}.${timestamp}.${message.body}`);
  const signature = toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", hmac, signed)));
  return { "webhook-id": message.id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
