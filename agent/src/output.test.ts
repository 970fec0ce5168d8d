import { expect, it } from "vitest";
import { redact } from "./output.ts";

it("[MO1] prints no key and no token", () => {
  const text =
    'key sk-ant-api03-AbC_d-e1 link adpl_ses_0123456789_secretpart token adp_live_0123456789 header {"authorization":"Bearer abc.def"} Authorization: Bearer xyz';
  expect(redact(text)).toBe(
    'key [redacted] link [redacted] token [redacted] header {"authorization":"Bearer [redacted]"} Authorization: Bearer [redacted]',
  );
});
