/**
 * The two small shell programs around an execution. They run with the program's rights, never the runner's (in a sandbox as
 * the agent's user), because what they touch is within the program's reach.
 */
import { MARK } from "./environment.ts";

/**
 * Arguments: a folder to make, a file name in it, the limits (memory in kB, processes, seconds of processor time; "" for none),
 * then the command. Descriptor 3 brings the environment (NUL-terminated pairs and an empty one) and the program's text; a line
 * on descriptor 4 says that all is in place.
 *
 * Between the runner and the program stand pipes: the runner's ends are sockets, which a program cannot open as /dev/stdin or
 * /dev/stderr. Those who copy ignore what asks the program to end, so that its last words arrive.
 */
export const START = `
folder=$1 name=$2 memory=$3 processes=$4 seconds=$5
shift 5
mkdir -m 700 -- "$folder" || exit 125
pairs=()
while IFS= read -r -d '' -u 3 pair && [ -n "$pair" ]; do pairs+=("$pair"); done
cat <&3 >"$folder/$name" || exit 125
exec 3<&-
trap '' TERM INT HUP
exec 5<&0 6>&1 7>&2
exec 0< <(exec cat <&5 2>/dev/null 4>&- 5<&- 6>&- 7>&-)
exec 1> >(exec cat >&6 2>/dev/null 4>&- 5<&- 6>&- 7>&-)
exec 2> >(exec cat >&7 2>/dev/null 4>&- 5<&- 6>&- 7>&-)
exec 5<&- 6>&- 7>&-
trap - TERM INT HUP
ulimit -c 0 2>/dev/null
if [ -n "$memory" ]; then ulimit -d "$memory" 2>/dev/null; fi
if [ -n "$seconds" ]; then ulimit -Ht $((seconds + 1)) 2>/dev/null; ulimit -St "$seconds" 2>/dev/null; fi
if [ -n "$processes" ]; then
  there=$(find /proc/[0-9]*/task -mindepth 1 -maxdepth 1 -user "$(id -u)" 2>/dev/null | wc -l)
  ulimit -u $((there + processes)) 2>/dev/null
fi
unset folder name memory processes seconds there pair
echo >&4
exec 4>&-
for pair in "\${pairs[@]}"; do export "$pair" 2>/dev/null; done
exec "$@"
`;

/** Arguments: the execution's id, its folder. Ends what carries its mark until nothing does, then removes the folder. */
export const CLEAN = `
for round in 1 2 3 4 5 6 7 8 9 10; do
  found=$(grep -lsF -- "${MARK}=$1" /proc/[0-9]*/environ)
  [ -z "$found" ] && break
  for entry in $found; do
    number=\${entry#/proc/}
    kill -9 "\${number%/environ}" 2>/dev/null
  done
  sleep 0.02
done
chmod -R u+rwX -- "$2" 2>/dev/null
rm -rf -- "$2"
`;

/** What descriptor 3 brings. */
export const payload = (env: Readonly<Record<string, string>>, program: string): Buffer =>
  Buffer.from(
    `${Object.entries(env)
      .map(([name, value]) => `${name}=${value.replaceAll("\0", "")}\0`)
      .join("")}\0${program}`,
  );
