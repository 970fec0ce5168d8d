#!/bin/bash
# Given to wrangler in place of `docker`: the classic builder knows no buildx flags, nothing can be pulled, and the image of
# a test stands on another base. Settings come from the environment; everything else goes through as it is.
set -u
real=${AIDEV_DOCKER:-docker}
if [ "${1:-}" = pull ] && "$real" image inspect "${!#}" >/dev/null 2>&1; then exit 0; fi
if [ "${1:-}" != build ]; then exec "$real" "$@"; fi
export DOCKER_BUILDKIT=0
arguments=()
for argument in "$@"; do
  case "$argument" in --load | --provenance=*) ;; *) arguments+=("$argument") ;; esac
done
exec "$real" "${arguments[0]}" --network host --build-arg "BASE=$AIDEV_TEST_BASE" "${arguments[@]:1}"
