/** Pictures and documents of a chat request as Anthropic's blocks: from a data URL as bytes, from https by address. Pure. */
import type { DocumentBlockParam, ImageBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { AppError } from "../errors.ts";

const PICTURES = {
  "image/jpeg": "image/jpeg",
  "image/jpg": "image/jpeg",
  "image/png": "image/png",
  "image/gif": "image/gif",
  "image/webp": "image/webp",
} as const;
type PictureType = keyof typeof PICTURES;
const isPicture = (mediaType: string): mediaType is PictureType => Object.hasOwn(PICTURES, mediaType);

const MAX_ADDRESS_CHARS = 2_000;

export function imagePart(url: string, param: string): ImageBlockParam {
  const data = dataUrl(url);
  if (data !== null) {
    if (!isPicture(data.mediaType)) throw refused(param, "Pictures are taken as JPEG, PNG, GIF or WebP.");
    return { type: "image", source: { type: "base64", media_type: PICTURES[data.mediaType], data: data.base64 } };
  }
  if (url.length > MAX_ADDRESS_CHARS || !URL.canParse(url) || new URL(url).protocol !== "https:")
    throw refused(param, "A picture is given as a data: URL in base64 or by an https address.");
  return { type: "image", source: { type: "url", url } };
}

interface FilePart {
  file_data?: string | null | undefined;
  file_id?: string | null | undefined;
  filename?: string | null | undefined;
}

export function filePart({ file_data: fileData, filename }: FilePart, param: string): DocumentBlockParam {
  const data = typeof fileData === "string" ? dataUrl(fileData) : null;
  if (data?.mediaType !== "application/pdf") throw refused(`${param}.file_data`, "A file is given as PDF in a data: URL in base64.");
  const source = { type: "base64", media_type: "application/pdf", data: data.base64 } as const;
  return { type: "document", source, ...(typeof filename === "string" && filename !== "" ? { title: filename } : {}) };
}

const refused = (param: string, detail: string): AppError => new AppError("bad_request", { param, detail });

/** Looks at its head alone, for the rest may be megabytes; whether it is base64 the provider says. */
function dataUrl(url: string): { mediaType: string; base64: string } | null {
  const comma = url.slice(0, 200).indexOf(",");
  const head = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.-]+)*;base64$/i.exec(url.slice(0, Math.max(0, comma)));
  return head?.[1] === undefined ? null : { mediaType: head[1].toLowerCase(), base64: url.slice(comma + 1) };
}
