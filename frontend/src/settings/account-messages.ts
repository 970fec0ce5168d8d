/** Words of deleting the account. */
export const t = {
  dialogTitle: "Delete your account?",
  dialogText: (email: string) => `This cannot be undone. Of ${email}, these go at once:`,
  goes: [
    "all sessions with their conversations, saved files and share links; what runs is stopped",
    "all projects and uploaded archives",
    "your API key, Git logins and MCP servers with their secrets",
    "your machines' connections, settings and sign-in",
  ],
  stays: "What was pushed to a Git host, and folders of your own machines, stay where they are.",
  password: "Your password",
  passwordMissing: "Enter your password to confirm.",
  passwordWrong: "The password is wrong.",
  confirm: "Delete account and everything in it",
  deleting: "Deleting…",
  cancel: "Keep it",
} as const;
