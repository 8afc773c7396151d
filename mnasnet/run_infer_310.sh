#!/bin/bash
# scripts/run_infer_310.sh from this folder, as the documentation's quick start has it.
exec bash "$(dirname "$(realpath "$0")")/scripts/run_infer_310.sh" "$@"
