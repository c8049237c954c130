#!/usr/bin/env bash
# Retouches the portrait, accepts it, and makes the card from it. Run after apply -simulate; FLUXBATCH is the program.
set -euo pipefail
cd "$(dirname "$0")"
pictures=.fluxbatch/simulation/images
cp "$pictures/card.png" "$pictures/portrait.png" # the retouching
"${FLUXBATCH:-fluxbatch}" accept -simulate image.portrait
"${FLUXBATCH:-fluxbatch}" apply -simulate -auto-approve | grep -F 'Apply complete: 0 created, 1 replaced'
"${FLUXBATCH:-fluxbatch}" verify -simulate
