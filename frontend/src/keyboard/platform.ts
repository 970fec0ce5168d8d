/** Whether this computer's main modifier is ⌘. */
export const isMac = /Mac|iPhone|iPad/.test(typeof navigator === "undefined" ? "" : navigator.platform);
