/** Words of the prompts that wait. */
export const t = {
  waiting: {
    region: "Waiting prompts",
    idle: "Waiting",
    steer: "After this step",
    queue: "Next turn",
    edit: "Edit prompt",
    save: "Save",
    cancel: "Cancel",
    up: "Move earlier",
    down: "Move later",
    withdraw: "Withdraw prompt",
    more: "Change the waiting prompt",
    editField: "Text of the waiting prompt",
  },
  outbox: {
    sending: "Sending",
    waiting: "Sent when you’re back",
    not_confirmed: "Not confirmed",
    refused: "Not sent",
    retry: "Retry",
    discard: "Discard",
  },
} as const;
