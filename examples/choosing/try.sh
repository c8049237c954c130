#!/usr/bin/env bash
# Picks, and makes what waits for that. Run after apply -simulate; FLUXBATCH is the program.
set -euo pipefail
cd "$(dirname "$0")"
"${FLUXBATCH:-fluxbatch}" pick -simulate image.hero 3
"${FLUXBATCH:-fluxbatch}" apply -simulate -auto-approve | grep -F 'Apply complete: 0 created, 1 replaced'
{ "${FLUXBATCH:-fluxbatch}" verify -simulate -json || true; } | grep -F '"address": "image.cover"' # which fails until somebody picks
"${FLUXBATCH:-fluxbatch}" pick -simulate image.cover 2
"${FLUXBATCH:-fluxbatch}" apply -simulate -auto-approve | grep -F 'Apply complete: 1 created'
"${FLUXBATCH:-fluxbatch}" verify -simulate
