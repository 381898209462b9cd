#!/usr/bin/env bash
# Starts the example in an empty folder and uses it as its reader would.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build -q -p example-embed
program=$PWD/target/debug/example-embed
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
"$program" 2>log &
server=$!
url=http://127.0.0.1:8080
for _ in $(seq 100); do grep -q setup log && break; sleep 0.1; done
link=$(grep -o 'http://[^ ]*/setup/[^ ]*' log)

status() { curl -s -o body -w '%{http_code}' "$@"; }
expect() { [ "$2" = "$3" ] || { echo "embed: $1: expected $3, got $2"; cat body log; exit 1; }; }

expect "anonymous" "$(status $url/calc/1)" 401
expect "anonymous in the scope" "$(status $url/inside)" 401
expect "the link's page" "$(status "$link")" 200
password='a long sentence to get in with'
expect "the first superuser" "$(status -H "Origin: $url" --data-urlencode username=admin \
    --data-urlencode "password=$password" --data-urlencode "password_again=$password" "$link")" 303
expect "the link a second time" "$(status "$link")" 404
login="{\"username\":\"admin\",\"password\":\"$password\"}"
expect "login" "$(status -c jar -H 'Content-Type: application/json' -d "$login" $url/accounts/api/v1/login)" 200
expect "a calculation" "$(status -b jar $url/calc/1)" 200
grep -q 'calculation 1, for admin' body
expect "the scope" "$(status -b jar $url/inside)" 200
expect "the account page" "$(status -b jar $url/accounts/)" 200
echo "embed: everything answered as it should"
