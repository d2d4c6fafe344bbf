# Two new PostgreSQL servers on loopback, the second a standby of the first, for as long as the standard input is open.
# The arguments are their ports. It says "ready"; at a line of input it kills the first, promotes the second and says "promoted".
set -eu
folder=$(mktemp -d -t switchboard-replicated.XXXXXX)
finish() {
    for server in first second; do
        pg_ctl stop --silent --mode immediate --pgdata "$folder/$server" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap finish EXIT
trap exit HUP INT TERM
trap '' PIPE

start() {
    options="-h 127.0.0.1 -p $2 -k $folder -c fsync=off -c shared_buffers=16MB"
    if ! pg_ctl start --silent --wait --pgdata "$folder/$1" --log "$folder/$1.log" --options "$options" >/dev/null; then
        cat "$folder/$1.log" >&2
        exit 1
    fi
}

initdb --pgdata "$folder/first" --username postgres --auth trust --locale C --encoding UTF8 --no-sync --no-instructions >/dev/null
start first "$1"
pg_basebackup --pgdata "$folder/second" --host 127.0.0.1 --port "$1" --username postgres --write-recovery-conf --checkpoint fast --no-sync
start second "$2"
echo ready
read -r _ || exit
pg_ctl stop --silent --mode immediate --pgdata "$folder/first"
pg_ctl promote --silent --wait --pgdata "$folder/second" >/dev/null
echo promoted
read -r _ || true
