#!/usr/bin/env bash
# Starts the service and a server that asks it, and logs in as its reader would.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build -q -p vestibule-server
program=$PWD/target/debug/vestibule
example=$PWD/examples/remote-backend-python
folder=$(mktemp -d)
service= server=
finish() {
    for one in $service $server; do kill "$one" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
umask 077

read -r hall lab < <(python3 -c '
import socket
both = [socket.socket(), socket.socket()]
for one in both: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in both))')
sed "s/:8800/:$hall/; s/:8801/:$lab/" "$example/vestibule.toml" >vestibule.toml
python3 -c 'import secrets; print(secrets.token_hex(24))' >token

fail() { echo "remote-backend-python: $*"; tail -n 20 ./*.log; exit 1; }
status() { curl -s -o body -w '%{http_code}' "$@"; }
expect() { [[ $2 == "$3" ]] || { cat body; fail "$1: expected $3, got $2"; }; }
until_answers() {
    for _ in $(seq 100); do curl -s -o /dev/null "$@" && return; sleep 0.1; done
    fail "nobody answers: $*"
}
start_service() {
    env "${@:2}" python3 "$example/service.py" "$1" 2>>service.log &
    service=$!
}
stop_service() { kill "$service" && wait "$service" 2>/dev/null || true; service=; }
log_in() {
    status -c "${3:-another}.jar" -H 'Content-Type: application/json' \
        -d "{\"username\": \"$1\", \"password\": \"$2\"}" "$url/api/v1/login"
}
helium='liquid helium at 4 kelvin'

start_service "127.0.0.1:$lab" LAB_TOKEN_FILE=token
until_answers "http://127.0.0.1:$lab/"
"$program" serve 2>>server.log >&2 &
server=$!
url=http://127.0.0.1:$hall
until_answers "$url/healthz"

expect "the right password" "$(log_in ann "$helium" first)" 200
grep -q '"username":"ann"' body || fail "somebody else: $(cat body)"
expect "who am I" "$(status -b first.jar "$url/api/v1/session")" 200
expect "a wrong password" "$(log_in ann wrong)" 401
expect "nobody" "$(log_in nobody "$helium")" 401
expect "who has left" "$(log_in carl 'dry ice at 195 kelvin')" 401
expect "without the token" "$(status -d '{}' "http://127.0.0.1:$lab/probe")" 401

stop_service
expect "the service is down" "$(log_in ann "$helium")" 503
expect "who is in stays in" "$(status -b first.jar "$url/api/v1/session")" 200
start_service "127.0.0.1:$lab" LAB_TOKEN_FILE=token
until_answers "http://127.0.0.1:$lab/"
expect "the service is back" "$(log_in ann "$helium")" 200
stop_service

# The same over a Unix socket, whose permissions take the token's place.
sed -i "s|^url = \"http:.*:$lab\"|url = \"unix:$folder/lab.sock\"|; /^token_file/d" vestibule.toml
start_service "unix:$folder/lab.sock"
until_answers --unix-socket lab.sock http://localhost/
"$program" backend test cryolab --username ann --password-stdin <<<"$helium" >body ||
    fail "over the socket: $(cat body)"
grep -q 4711 body || fail "over the socket: $(cat body)"

if grep -q "$helium" ./*.log || grep -qF "$(cat token)" ./*.log; then fail "a secret in a log"; fi
echo "remote-backend-python: everything answered as it should"
