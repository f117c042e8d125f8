#!/usr/bin/env bash
# make.sh ICP: the files of this folder, by version 0.2.0 of the program and none after it. ReleaseTests reads them.
#
# run/             a run directory, with a checkpoint in the middle of an epoch, at step 15, and one at the end
# evaluate.json    what `icp evaluate` says of the last checkpoint
# resnet8.txt      the checksums of the last checkpoint of a ResNet, which is too large to keep; resnet8.json its evaluation

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
icp=$1
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf run
"$icp" train mlp.yaml --run-dir run >/dev/null
last=checkpoints/step-0000024.safetensors
"$icp" evaluate run/config.yaml --weights run/$last --json >evaluate.json
"$icp" train resnet8.yaml --run-dir "$work/run" >/dev/null
"$icp" evaluate "$work/run/config.yaml" --weights "$work/run/checkpoints/step-0000006.safetensors" --json >resnet8.json
# The header is one line of JSON after eight bytes.
head -c 20000 "$work/run/checkpoints/step-0000006.safetensors" | tail -c +9 | tr -d '\n' |
  grep -ao '"checksum\.[A-Za-z0-9_.]*":"[0-9a-f]*"' | tr -d '"' | sed 's/^checksum\.//; s/:/ /' >resnet8.txt
