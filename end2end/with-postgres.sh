#!/usr/bin/env bash
# Runs COMMAND beside a throw-away PostgreSQL server and passes its exit status on.
#
#   end2end/with-postgres.sh COMMAND [ARGUMENT…]
#
# COMMAND finds the server in IPACK_TEST_POSTGRES (postgres://postgres@127.0.0.1:PORT/postgres, no password), its
# data folder in IPACK_TEST_POSTGRES_DATA and its programs in IPACK_POSTGRES_BIN. The server listens on 127.0.0.1
# only, lives in a temporary folder and is gone afterwards. Where IPACK_TEST_POSTGRES is set already, that server is used instead.
# PostgreSQL's programs are taken from IPACK_POSTGRES_BIN, from PATH or from where Debian puts them.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT…]" >&2; exit 2; }
if [ -n "${IPACK_TEST_POSTGRES:-}" ]; then exec "$@"; fi

# The folder that holds initdb and pg_ctl.
find_programs() {
  local found
  if [ -n "${IPACK_POSTGRES_BIN:-}" ]; then
    echo "$IPACK_POSTGRES_BIN"
  elif found=$(command -v initdb) && command -v pg_ctl >/dev/null; then
    dirname "$found"
  else
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    [ -x "$found" ] || { echo "No PostgreSQL server found. On Debian: apt-get install postgresql" >&2; return 1; }
    dirname "$found"
  fi
}

# PostgreSQL refuses to run as root: there, an unprivileged user runs it.
if [ "$(id -u)" -eq 0 ]; then
  owner=postgres
  id "$owner" >/dev/null 2>&1 || owner=nobody
  unprivileged() { (cd "$folder" && exec runuser -u "$owner" -- "$@"); }
else
  owner=$(id -un)
  unprivileged() { (cd "$folder" && exec "$@"); }
fi

# A port between 20000 and 32767 (below what systems hand out by themselves) that nobody answers on.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12768))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

programs=$(find_programs)
folder=$(mktemp -d "${TMPDIR:-/tmp}/ipack-postgres.XXXXXX")
data=$folder/data
started=no

finish() {
  status=$?
  trap '' INT TERM
  if [ "$started" = yes ]; then
    unprivileged "$programs/pg_ctl" stop --silent --pgdata="$data" --mode=immediate || true
  fi
  rm -rf "$folder"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ "$(id -u)" -ne 0 ] || chown "$owner" "$folder"
unprivileged "$programs/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
  >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }

for attempt in 1 2 3 4 5; do
  port=$(free_port)
  settings="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder"
  # It need not outlive its machine. A commit still waits until it is written: tests stop the server and count on that.
  settings+=" -c max_connections=200 -c fsync=off -c full_page_writes=off -c autovacuum=off -c jit=off"
  if unprivileged "$programs/pg_ctl" start --silent --wait --pgdata="$data" --log="$folder/server.log" --options="$settings"
  then started=yes; break; fi
  echo "PostgreSQL did not start on port $port (attempt $attempt)" >&2
done
[ "$started" = yes ] || { cat "$folder/server.log" >&2 || true; exit 1; }

export IPACK_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres" IPACK_TEST_POSTGRES_DATA="$data"
export IPACK_POSTGRES_BIN="$programs"
"$@"
