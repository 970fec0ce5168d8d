/**
 * Sends an archive and says how far it is. XMLHttpRequest, since fetch does not tell of what was sent. The file is held by
 * the caller, so that another try needs no other choice.
 */
import type { ImportBody } from "@ai-dev-platform/protocol/http";
import type { ArchiveFormat } from "@ai-dev-platform/protocol/modes";
import { ApiError, readError } from "../api/client.ts";
import { LOCAL_ERRORS } from "../api/local-errors.ts";

export interface Upload {
  /** Never settles after `cancel`. */
  answer: Promise<ImportBody>;
  cancel: () => void;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unreachable = () => new ApiError({ code: "unavailable", ...LOCAL_ERRORS.unavailable }, 0);

export function uploadArchive(file: File, format: ArchiveFormat, onSent: (bytes: number) => void): Upload {
  const request = new XMLHttpRequest();
  const answer = new Promise<ImportBody>((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded }) => onSent(loaded));
    request.addEventListener("load", () => {
      const body = parse(request.responseText);
      if (request.status === 201 && isImport(body)) resolve(body);
      else reject(readError(request.status, body));
    });
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("timeout", () => reject(unreachable()));
  });
  request.open("POST", `/api/imports?format=${encodeURIComponent(format)}`);
  request.setRequestHeader("accept", "application/json");
  request.setRequestHeader("content-type", "application/octet-stream");
  request.send(file);
  return { answer, cancel: () => request.abort() };
}

const isImport = (body: unknown): body is ImportBody => typeof body === "object" && body !== null && "importId" in body;
