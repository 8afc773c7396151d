# make help lists the targets. Every target makes what it needs: .venv, the C++ runtime, the data.
SHELL := /bin/bash
PYTHON ?= python3
CACHE ?= $(CURDIR)/.cache
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
export ONEDNN_MAX_CPU_ISA ?= AVX2
export PATH := $(BIN):$(PATH)
FOLDERS := $(patsubst utils/smoke/%.py,%,$(wildcard $(foreach f,fishnet99 resnest nas_fpn mnasnet mobilenetv1,utils/smoke/$(f).py)))

.DEFAULT_GOAL := help
.PHONY: help smoke test lint vendor demo demo-nas_fpn packages clean tables bench-mobilenetv1 bench-fishnet99 bench-resnest bench-mnasnet bench-nas_fpn $(addprefix smoke-,$(FOLDERS))

help: ## list the targets
	@grep -hE '^[a-z%-]+[a-z0-9_%-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([^:]+):.*## /\1\t/' | expand -t 24
	@printf 'folders: %s\n' '$(FOLDERS)'

$(VENV)/.ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv "$(VENV)" || { echo 'error: no venv module; run: apt-get install python3-venv' >&2; exit 1; }
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch "$@"

packages: ## the Debian packages of the C++ build: installed as root, else the command to run is printed
	@bash utils/cpp_infer/install_packages.sh

smoke: $(VENV)/.ready packages ## every folder through its whole chain on the CPU, in a table
	"$(BIN)/python" utils/smoke/smoke.py "$(CACHE)" .smoke

$(addprefix smoke-,$(FOLDERS)): smoke-%: $(VENV)/.ready packages ## one folder, such as smoke-mobilenetv1
	"$(BIN)/python" utils/smoke/smoke.py "$(CACHE)" .smoke $*

test: $(VENV)/.ready packages ## the tests
	"$(BIN)/python" -m pytest

lint: $(VENV)/.ready ## ruff, shellcheck, clang-format
	"$(BIN)/ruff" check .
	git ls-files -z '*.sh' .ci/run | xargs -0 "$(BIN)/shellcheck"
	git ls-files -z '*.cc' '*.h' | xargs -0 "$(BIN)/clang-format" --dry-run --Werror

demo: $(VENV)/.ready packages ## MobileNetV1 on real digits to 97 % and more, with pictures, in .demo/mobilenetv1
	"$(BIN)/python" utils/smoke/demo_mobilenetv1.py "$(CACHE)" .demo/mobilenetv1

demo-nas_fpn: $(VENV)/.ready packages ## NAS-FPN learns eight aerial photos by heart, then all, with pictures, in .demo/nas_fpn
	"$(BIN)/python" utils/smoke/demo_nas_fpn.py "$(CACHE)" .demo/nas_fpn

bench-mobilenetv1: $(VENV)/.ready packages ## speed of MobileNetV1 here, into its READMEs
	"$(BIN)/python" utils/bench/mobilenetv1.py "$(CACHE)" .bench/mobilenetv1

$(VENV)-bench/.ready: requirements-bench.txt
	$(PYTHON) -m venv "$(VENV)-bench"
	"$(VENV)-bench/bin/python" -m pip install --quiet --disable-pip-version-check numpy -r requirements-bench.txt
	touch "$@"

bench-fishnet99: $(VENV)/.ready $(VENV)-bench/.ready packages ## speed of FishNet99 here against PyTorch, into its READMEs
	"$(BIN)/python" utils/bench/fishnet99.py .bench/fishnet99 "$(VENV)-bench/bin/python"

bench-resnest: $(VENV)/.ready $(VENV)-bench/.ready packages ## speed of ResNeSt-50 here against PyTorch, into its READMEs
	"$(BIN)/python" utils/bench/resnest.py .bench/resnest "$(VENV)-bench/bin/python"

bench-mnasnet: $(VENV)/.ready $(VENV)-bench/.ready packages ## speed of MnasNet here against PyTorch, into its READMEs
	"$(BIN)/python" utils/bench/mnasnet.py .bench/mnasnet "$(VENV)-bench/bin/python"

bench-nas_fpn: $(VENV)/.ready $(VENV)-bench/.ready packages ## speed of NAS-FPN here against PyTorch, into its READMEs
	"$(BIN)/python" utils/bench/nas_fpn.py .bench/nas_fpn "$(VENV)-bench/bin/python"

tables: $(VENV)/.ready ## parameters and multiply-adds, into the main README
	"$(BIN)/python" utils/bench/folders.py

vendor: ## copy utils/vendored into the folders
	$(PYTHON) utils/vendored/vendor.py

clean: ## remove what the targets made, but for .venv and downloads
	rm -rf .smoke .demo .bench .pytest_cache .ruff_cache
