#!/bin/sh
# toystore-entrypoint DIRECTORY... -- COMMAND...: makes sure that the service may write its data directories, then becomes
# the service (exec: node is process 1 and gets the signals itself).
#
# Nothing here runs as root. A host directory that Docker had to create for a mount belongs to root, though, and so does
# every file of a root user's clone. For that one case the image has `take-data`, a chown that may change owners without
# being root (see grant-chown.pl). What belongs to anybody else is left alone: taking it would lock its owner out, so the
# one line below says what to do instead.
set -eu

me=$(id -u):$(id -g)

while [ "$1" != -- ]; do
  directory=$1
  shift
  [ -d "$directory" ] || continue
  # Over a database nothing is written there.
  [ -z "${DATABASE_URL:-}" ] || continue
  if [ -n "$(find "$directory" -uid 0 -print -quit)" ]; then take-data -Rh "$me" "$directory" 2>/dev/null || true; fi
  [ -w "$directory" ] && continue
  echo "$directory belongs to user $(stat -c %u "$directory") and user $me cannot write it: on the host, give it to $me" \
    "with chown -R, or run the container as its owner (docker run --user, TOYSTORE_USER with docker-compose)" >&2
  exit 1
done
shift

exec "$@"
