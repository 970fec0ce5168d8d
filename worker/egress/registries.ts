/**
 * The hosts of the "registries" level, each with its reason. Reading only: a registry that takes uploads is a way out.
 * Where a host serves more than packages, `path` names the part that is open. A host that is not here has to be listed
 * by the owner or allowed in the session. Reading can still carry data out in a path or a query: the log shows the host.
 */

export interface Registry {
  host: string;
  why: string;
  path?: RegExp;
}

export const REGISTRIES: readonly Registry[] = [
  { host: "registry.npmjs.org", why: "npm: package metadata and archives" },
  { host: "registry.yarnpkg.com", why: "Yarn's name for the npm registry" },
  { host: "nodejs.org", why: "Node.js: headers for native add-ons, releases", path: /^\/(?:dist|download)\// },
  { host: "pypi.org", why: "PyPI: the index", path: /^\/(?:simple|pypi)\// },
  { host: "files.pythonhosted.org", why: "PyPI: package files", path: /^\/packages\// },
  { host: "index.crates.io", why: "Cargo: the sparse index" },
  { host: "static.crates.io", why: "Cargo: crate archives", path: /^\/crates\// },
  { host: "crates.io", why: "Cargo: older clients' download links", path: /^\/api\/v1\/crates\// },
  { host: "static.rust-lang.org", why: "Rust: toolchains" },
  { host: "proxy.golang.org", why: "Go: module proxy" },
  { host: "sum.golang.org", why: "Go: checksum database" },
  { host: "dl.google.com", why: "Go: toolchains", path: /^\/go\// },
  { host: "rubygems.org", why: "RubyGems: index and gems" },
  { host: "index.rubygems.org", why: "RubyGems: compact index" },
  { host: "deb.debian.org", why: "Debian packages" },
  { host: "security.debian.org", why: "Debian security updates" },
  { host: "archive.ubuntu.com", why: "Ubuntu packages" },
  { host: "security.ubuntu.com", why: "Ubuntu security updates" },
  { host: "ports.ubuntu.com", why: "Ubuntu packages for other processors" },
  {
    host: "github.com",
    why: "GitHub: release files and source archives that packages download when they are installed",
    path: /^\/[\w.-]+\/[\w.-]+\/(?:releases\/(?:download|latest\/download)|archive)\//,
  },
  { host: "codeload.github.com", why: "GitHub: source archives" },
  { host: "objects.githubusercontent.com", why: "GitHub: release files" },
  { host: "release-assets.githubusercontent.com", why: "GitHub: release files" },
];

const byHost = new Map(REGISTRIES.map((registry) => [registry.host, registry]));
const READS = new Set(["GET", "HEAD"]);

/** `path` is null where the caller does not know it: then a host that is open in part is closed. */
export function isRegistryRead(host: string, method: string, path: string | null): boolean {
  const registry = byHost.get(host);
  if (registry === undefined || !READS.has(method)) return false;
  return registry.path === undefined || (path !== null && registry.path.test(path));
}

export const isRegistryHost = (host: string): boolean => byHost.has(host);

/** Whether a host's verdict depends on more than its name and the method. */
export const isOpenInPart = (host: string): boolean => byHost.get(host)?.path !== undefined;
