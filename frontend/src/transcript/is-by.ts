/**
 * Whether the viewer did this in person. A program of theirs acts under their id and its own name: that is told apart.
 * No author: it was typed here, just now.
 */
import type { Author } from "@ai-dev-platform/protocol/events";
import type { ViewerIdentity } from "../session/store.ts";

export const isBy = (author: Author | null, viewer: ViewerIdentity | null): boolean =>
  author === null || (author.userId === viewer?.userId && author.name === viewer.name);
