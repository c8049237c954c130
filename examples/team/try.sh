#!/usr/bin/env bash
# Two folders as two machines, with a store, a broker and the simulator on loopback. It needs Go, which fetches the store and the broker.
# FLUXBATCH is the program.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
fluxbatch=${FLUXBATCH:-fluxbatch}
command -v "$fluxbatch" >/dev/null || { echo "There is no program $fluxbatch. Install it with go install . in the clone, or set FLUXBATCH to its path." >&2; exit 1; }
work=$(mktemp -d)
servers=()
end() {
  for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap end EXIT

api=127.0.0.1:18787 store=127.0.0.1:19000 broker=127.0.0.1:14222
GOBIN=$work/bin go install github.com/johannesboyne/gofakes3/cmd/gofakes3@v1.2.0
GOBIN=$work/bin go install github.com/nats-io/nats-server/v2@v2.15.3
"$fluxbatch" simulator -listen "$api" -latency 300ms -ledger "$work/ledger" >"$work/api.log" 2>&1 & servers+=($!)
"$work/bin/gofakes3" -host "$store" -backend memory -initialbucket art >"$work/store.log" 2>&1 & servers+=($!)
"$work/bin/nats-server" -a "${broker%:*}" -p "${broker#*:}" -js -sd "$work/nats" >"$work/broker.log" 2>&1 & servers+=($!)
for at in "$api api 0" "$store store 1" "$broker broker 2"; do
  read -r server name n <<<"$at"
  until (exec 3<>"/dev/tcp/${server%:*}/${server#*:}") 2>/dev/null; do
    kill -0 "${servers[n]}" 2>/dev/null || { echo "The $name did not start:" >&2; cat "$work/$name.log" >&2; exit 1; }
  done
done
export FLUXBATCH_VAR_endpoint=http://$api FLUXBATCH_VAR_store=http://$store FLUXBATCH_VAR_broker=nats://$broker
export AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=secret BFL_API_KEY=key
mkdir "$work/ann" "$work/bob"
cp "$here"/*.flux.hcl "$work/ann"
cp "$here"/*.flux.hcl "$work/bob"

echo '-- Ann begins, and her machine dies.'
cd "$work/ann"
"$fluxbatch" apply -auto-approve >/dev/null 2>&1 & apply=$!
until [ "$(wc -l <"$work/ledger" 2>/dev/null || echo 0)" -ge 3 ]; do :; done
kill -9 "$apply"
wait "$apply" 2>/dev/null || true

echo '-- Bob goes on, with what hers had paid for.'
cd "$work/bob"
"$fluxbatch" apply -auto-approve -lock-timeout 1m | grep -E 'Apply complete: '
"$fluxbatch" slots 2>&1

echo '-- Ann has all of it, for nothing.'
cd "$work/ann"
"$fluxbatch" plan | grep -F 'Estimated cost: $0.00'
charged=$(wc -l <"$work/ledger")
"$fluxbatch" apply -auto-approve | grep -F 'Cost: $0.00'
[ "$(wc -l <"$work/ledger")" = "$charged" ]
cmp images/poster.jpg "$work/bob/images/poster.jpg"

echo '-- Ann picks another candidate; Bob sees what follows from that, and what it costs.'
"$fluxbatch" pick image.hero 2
cd "$work/bob"
"$fluxbatch" plan | grep -F '2 to replace, 0 to update, 0 to destroy. Estimated cost: $0.015'
"$fluxbatch" apply -auto-approve | grep -E 'Apply complete: '
"$fluxbatch" verify
"$fluxbatch" report -out "$work/report"
