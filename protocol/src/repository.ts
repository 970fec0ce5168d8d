/** The addresses that one Git repository has. Pure. */

const SCP_LIKE = /^[\w.-]+@([a-z0-9][a-z0-9.-]*):(?![/-])(\S+)$/i;
/** Behind another port than its own, ssh says nothing about where https would be. */
const SSH = /^ssh:\/\/(?:[\w.-]+@)?([a-z0-9][a-z0-9.-]*)(?::22)?\/(\S+)$/i;

/** Where hosts offer a repository that is named by ssh over https too; any other address as it is. */
export function httpsForm(url: string): string {
  const [, host, path] = SCP_LIKE.exec(url) ?? SSH.exec(url) ?? [];
  return host === undefined || path === undefined ? url : `https://${host}/${path}`;
}
