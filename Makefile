# make help lists the targets. Every target makes what it needs: .venv, the C++ runtime, the data.
# All names are relative, so that this folder's own path may hold blanks, quotes, `$`, `#` and `%`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
CACHE ?= .cache
# requirements-dev.txt instead takes whatever versions pip finds.
REQUIREMENTS ?= requirements-tested.txt
export ONEDNN_MAX_CPU_ISA ?= AVX2
export PATH := $(CURDIR)/.venv/bin:$(value PATH)
# It makes the environments; whatever runs in them takes their own interpreter.
unexport PYTHON
# Tests import the folders' modules thousands of times: compiled once, they come from a file.
unexport PYTHONDONTWRITEBYTECODE
FOLDERS := $(patsubst %/train.py,%,$(wildcard */train.py))
SMOKES := $(FOLDERS:%=smoke-%)
DEMOS := $(patsubst utils/smoke/demo_%.py,demo-%,$(wildcard utils/smoke/demo_*.py))
BENCHES := $(FOLDERS:%=bench-%)
PROFILES := $(FOLDERS:%=profile-%)
# make bench QUICK=--quick: everything once, to see that it runs; figures that mean nothing.
QUICK ?=
# One word for the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'

.DEFAULT_GOAL := help
.PHONY: help setup packages smoke test test-all test-slow test-matrix lint demo by-heart bench count
.PHONY: growth weights runtimes tables
.PHONY: faults fuzz guard documented-curve two-processes oddities mutations second-judge lowering-operators
.PHONY: lowering-zoo second-reader cpu-kernels doctor lock vendor clean
.PHONY: $(SMOKES) $(DEMOS) $(BENCHES) $(PROFILES)

help: ## list the targets
	@sed -nE 's/^\$$\([A-Z_]+\): ([a-z]+)-%/\1-FOLDER/; s/^([A-Za-z_-]+):.*## /\1\t/p' Makefile | \
		expand -t 24
	@echo 'folders: $(FOLDERS)'

.venv/.ready: $(REQUIREMENTS)
	$(call quote,$(value PYTHON)) -m venv .venv || { \
		echo 'error: .venv: not made; without a venv module: apt-get install python3-venv' >&2; \
		exit 1; }
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS)
	touch $@

.venv-bench/.ready: requirements-bench.txt
	$(call quote,$(value PYTHON)) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	touch $@

# Without what these packages ask for besides: see requirements-runtimes.txt.
.venv-runtimes/.ready: requirements-runtimes.txt
	$(call quote,$(value PYTHON)) -m venv .venv-runtimes
	.venv-runtimes/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		-r requirements-runtimes.txt
	touch $@

.venv-weights/.ready: requirements-weights.txt requirements.txt
	$(call quote,$(value PYTHON)) -m venv .venv-weights
	.venv-weights/bin/python -m pip install --quiet --disable-pip-version-check \
		-r requirements-weights.txt
	touch $@

cpu-kernels: .venv/.ready packages ## what trains and predicts faster on CPUs, for all folders
	cd $(firstword $(FOLDERS)) && ../.venv/bin/python -m src.vendored.cpu_kernels

setup: .venv/.ready packages cpu-kernels ## the environment .venv and what the C++ build needs; activate it for the folders' commands

packages: ## the Debian packages of the C++ build: installed as root, else the command to run is printed
	@bash utils/cpp_infer/install_packages.sh

smoke: .venv/.ready packages ## every folder through its whole chain on the CPU, in a table
	.venv/bin/python utils/smoke/smoke.py $(call quote,$(value CACHE)) .smoke

$(SMOKES): smoke-%: .venv/.ready packages ## one folder, such as smoke-mobilenetv1
	.venv/bin/python utils/smoke/smoke.py $(call quote,$(value CACHE)) .smoke $*

test: .venv/.ready packages ## the tests, without those that are slow and rarely fail
	.venv/bin/python -m pytest -m "not slow"

test-all: .venv/.ready packages ## all tests
	.venv/bin/python -m pytest --durations=25 --durations-min=5

test-slow: .venv/.ready packages ## what make test leaves out
	.venv/bin/python -m pytest -m slow

test-matrix: .venv/.ready ## core tests on MindSpore 2.7 to 2.10 and each Python that is here, in .bench
	.venv/bin/python tests/matrix.py .venv-matrix .bench

# clang-format names its interpreter by a path, which may hold what a shell changes.
lint: .venv/.ready ## ruff, shellcheck, clang-format, the vendored copies
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	git ls-files -z '*.sh' .ci/run | xargs -0r .venv/bin/shellcheck
	git ls-files -z '*.cc' '*.h' | xargs -0r .venv/bin/python .venv/bin/clang-format --dry-run --Werror
	.venv/bin/python utils/vendored/vendor.py --check

demo: demo-mobilenetv1 ## real digits to 97 % and more: demo-mobilenetv1

$(DEMOS): demo-%: .venv/.ready packages ## a longer run, its table and pictures in .demo/FOLDER
	.venv/bin/python utils/smoke/demo_$*.py $(call quote,$(value CACHE)) .demo/$*

demo-pretrained: .venv-runtimes/.ready

by-heart: .venv/.ready packages ## nas_fpn learns eight aerial photos by heart
	.venv/bin/python utils/smoke/by_heart.py $(call quote,$(value CACHE)) .demo/by_heart

documented-curve: .venv/.ready packages ## how far nas_fpn's documented network gets on digits, in .bench
	.venv/bin/python utils/smoke/documented_curve.py $(call quote,$(value CACHE)) .bench

bench: .venv/.ready .venv-bench/.ready .venv-runtimes/.ready packages cpu-kernels ## every folder's speed here against other engines
	.venv/bin/python utils/bench/bench.py $(call quote,$(value CACHE)) .bench .venv-bench/bin/python \
		.venv-runtimes/bin/python $(QUICK)

$(BENCHES): bench-%: .venv/.ready .venv-bench/.ready .venv-runtimes/.ready packages cpu-kernels ## the speed of one folder
	.venv/bin/python utils/bench/bench.py $(call quote,$(value CACHE)) .bench .venv-bench/bin/python \
		.venv-runtimes/bin/python $(QUICK) $*

$(PROFILES): profile-%: .venv/.ready cpu-kernels ## one folder's time by kind of operator, in .bench
	.venv/bin/python utils/bench/operator_times.py $(call quote,$(value CACHE)) .bench $*

growth: .venv/.ready cpu-kernels ## time and memory with 1,000 to 100,000 images, in .bench
	.venv/bin/python utils/bench/growth.py $(call quote,$(value CACHE)) .bench

count: .venv/.ready ## parameters and multiply-adds of every network, in .bench
	.venv/bin/python utils/bench/folders.py .bench

weights: .venv-weights/.ready ## every kind of published weights, by chance: the same function? in .weights
	.venv-weights/bin/python -m pytest -n 0 tests/test_convert_torch.py
	.venv-weights/bin/python utils/convert/photos_seen.py $(call quote,$(value CACHE)) .weights
	.venv-weights/bin/python utils/convert/published.py .weights

two-processes: .venv/.ready ## what averaging gradients over processes costs, in .bench
	.venv/bin/python utils/bench/two_processes.py .bench

runtimes: .venv/.ready .venv-runtimes/.ready ## exports in other runtimes, in .bench
	.venv/bin/python utils/bench/runtimes.py .bench .venv-runtimes/bin/python

second-judge: .venv-bench/.ready ## the figures of demo-nas_fpn, by another evaluator
	.venv-bench/bin/python utils/bench/second_judge.py .demo/nas_fpn

tables: .venv/.ready ## the newest tables and pictures in .demo, .smoke, .bench, into the READMEs and docs
	.venv/bin/python utils/bench/report.py
	.venv/bin/python utils/smoke/front_picture.py
	.venv/bin/python utils/smoke/tables.py

fuzz: .venv/.ready ## thousands of damaged images, annotations, MindIR files
	.venv/bin/python tests/fuzz_images.py --mutants 2000
	.venv/bin/python tests/nas_fpn_fuzz.py 500
	.venv/bin/python tests/fuzz_mindir.py 2600

mutations: .venv/.ready packages ## 40 faults put in, one at a time: which the tests find, in .bench
	.venv/bin/python tests/mutations.py .bench

faults: .venv/.ready ## kill training, fill its disk: an hour or more, tables in .bench
	.venv/bin/python tests/faults.py .bench
	.venv/bin/python tests/resume_times.py .bench

lowering-operators: .venv/.ready packages ## what MindSpore Lite does not run, measured
	.venv/bin/python tests/measure_operators.py $(call quote,$(value CACHE))/lowering-operators

lowering-zoo: .venv/.ready packages ## the 275 networks of mindcv, in .bench; resumable
	.venv/bin/python tests/lowering_zoo.py $(call quote,$(value CACHE))/lowering-zoo .bench

second-reader: .venv/.ready packages ## lowered files in MindSpore 2.0, in .bench; needs Python 3.7 to 3.9
	.venv/bin/python tests/second_reader.py .venv-reader .bench

guard: .venv/.ready ## what telling damaged images costs the data pipelines, in .bench
	.venv/bin/python tests/guard_cost.py .bench

oddities: .venv/.ready packages ## odd trees, files and exports, in .bench
	.venv/bin/python tests/oddities.py .bench

doctor: ## versions, devices, what is missing and the command that mends it
	@$(call quote,$(value PYTHON)) utils/doctor.py $(call quote,$(value CACHE))

lock: ## write requirements-tested.txt anew, by the newest versions that fit
	$(call quote,$(value PYTHON)) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	sed -n '/^#/p;/^[^#]/q' requirements-tested.txt > requirements-tested.txt.new
	.venv-lock/bin/uv pip compile --quiet --universal --upgrade --python-version 3.10 --no-header \
		--no-annotate --generate-hashes requirements-dev.txt >> requirements-tested.txt.new
	mv requirements-tested.txt.new requirements-tested.txt

vendor: ## copy utils/vendored into the folders
	$(call quote,$(value PYTHON)) utils/vendored/vendor.py

clean: ## remove what the targets made, but for .venv and downloads
	rm -rf .smoke .demo .bench .weights .pytest_cache .ruff_cache
