/** Words of uploading an archive. */
export const t = {
  label: "File",
  drop: "Drop a zip or tar here, or",
  choose: "Choose a file",
  hint: (most: string) => `.zip, .tar, .tar.gz or .tgz, up to ${most}. A single folder around everything is taken off.`,
  uploading: (name: string) => `Uploading ${name}`,
  sent: (sent: string, total: string) => `${sent} of ${total}`,
  checking: "Sent. Waiting for the answer…",
  cancel: "Cancel",
  retry: "Try again",
  other: "Choose another file",
  failed: (name: string) => `${name} was not uploaded.`,
  ready: "Uploaded",
  remove: "Remove",
  wrongKind: "Choose a .zip, .tar, .tar.gz or .tgz file.",
  empty: "This file is empty.",
  tooLarge: (size: string, most: string) =>
    `This file has ${size}; at most ${most} can be uploaded. Leave dependencies and build results out.`,
  many: "Choose one file: a zip or tar of the whole project.",
  announceReady: (name: string) => `${name} is uploaded`,
} as const;
