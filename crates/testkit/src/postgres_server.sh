# A new PostgreSQL on loopback, for as long as the standard input is open. The argument is its port; CERTIFICATE and KEY are what it
# shows, if it is to speak TLS alone. It says "ready"; at each line of input it ends, starts again and says so once more.
set -eu
folder=$(mktemp -d -t switchboard-server.XXXXXX)
finish() {
    pg_ctl stop --silent --mode immediate --pgdata "$folder/data" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
trap exit HUP INT TERM
trap '' PIPE

options="-h 127.0.0.1 -p $1 -k $folder -c fsync=off -c shared_buffers=16MB"
start() {
    if ! pg_ctl start --silent --wait --pgdata "$folder/data" --log "$folder/log" --options "$options" >/dev/null; then
        cat "$folder/log" >&2
        exit 1
    fi
    echo ready
}

initdb --pgdata "$folder/data" --username postgres --auth trust --locale C --encoding UTF8 --no-sync --no-instructions >/dev/null
if [ -n "${CERTIFICATE:-}" ]; then
    umask 077
    printf '%s' "$CERTIFICATE" >"$folder/data/server.crt"
    printf '%s' "$KEY" >"$folder/data/server.key"
    echo 'hostssl all all 127.0.0.1/32 trust' >"$folder/data/pg_hba.conf"
    options="$options -c ssl=on"
fi
start
while read -r _; do
    pg_ctl stop --silent --wait --mode fast --pgdata "$folder/data" >/dev/null
    start
done
