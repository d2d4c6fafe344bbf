# A new PostgreSQL on loopback, for as long as the standard input is open: it ends however its owner ends.
# The arguments are its settings and ports to try; the one that it listens on is printed.
set -eu
folder=$(mktemp -d -t switchboard-postgres.XXXXXX)
finish() {
    pg_ctl stop --silent --mode immediate --pgdata "$folder/data" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
trap exit HUP INT TERM
trap '' PIPE

initdb --pgdata "$folder/data" --username postgres --auth trust --locale C --encoding UTF8 --no-sync --no-instructions >/dev/null
settings=$1
shift
for port in "$@"; do
    options="-h 127.0.0.1 -p $port -k $folder $settings"
    if pg_ctl start --silent --wait --pgdata "$folder/data" --log "$folder/log" --options "$options" >/dev/null; then
        echo "$port"
        read -r _ || true
        exit
    fi
done
cat "$folder/log" >&2
exit 1
