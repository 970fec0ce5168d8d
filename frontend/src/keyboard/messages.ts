export const t = {
  title: "Keyboard shortcuts",
  description: "Single letters act outside fields.",
  singleLetters: "Single-letter shortcuts",
  enterSends: "Enter sends a prompt",
  enterSendsHint: "Off: Enter makes a new line.",
} as const;
