/** Words of "Who may use the machine". */
export const t = {
  item: "Who may use the machine…",
  title: "Who may use the machine",
  about: "It does only what a browser that it knows has signed. What you choose here is signed by this browser, too.",
  noKey: "This browser has no key, so it cannot tell the machine anything.",
  machines: "Set it up in Settings, Machines",
  people: "People with a link",
  peopleText:
    "People who may drive may use this machine in this session. They can then do there what you can: share such a session as you would share a terminal.",
  allow: "Allow in this session",
  forbid: "Do not allow",
  browsers: "Your other browsers",
  noOthers: "You have no other browser with a key. Make one there, in Settings, Machines.",
  compare: "Compare the fingerprint with the one that the browser itself shows in Settings, Machines.",
  listen: "Listen",
  listenLabel: (name: string) => `Listen to ${name}`,
  drop: "Stop listening",
  dropLabel: (name: string) => `Stop listening to ${name}`,
  sending: "Signing…",
  sent: "Signed and sent. The machine says in the conversation what it did.",
} as const;
