# serve, test, check, bench: the four things a newcomer types.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?= data
PORT ?= 8080

.PHONY: serve test check packages clients screenshots bench mutation lock clean

serve: $(STAMP)
	$(BIN)/wijkdossier demo --data $(DATA) --port $(PORT)

test: $(STAMP)
	$(BIN)/pytest -n 2

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The official definitions and examples, for the tests that hold us to them; needs npm.
packages: $(STAMP)
	$(BIN)/python -m profiles.build --fetch --packages build/packages --target build/definitions
	for archive in build/packages/*.tgz; do mkdir -p $${archive%.tgz} && tar xzf $$archive -C $${archive%.tgz}; done

# The stock JavaScript clients, and what drives a browser, for the tests that let them in; needs npm.
clients:
	npm install --silent --no-audit --no-fund --prefix build/npm axe-core@4 fhirclient@2 fhir-kit-client@2 jose@6 playwright-core@1

# Every page in both languages, on a phone and on a desk, to be looked at; needs chromium.
screenshots: $(STAMP)
	$(BIN)/python -m tests.clients.screenshots

bench: $(STAMP)
	$(BIN)/python -m tests.performance

# Does a test fail on every small change to the consent engine? An hour and a half, on one core.
mutation: $(STAMP)
	$(BIN)/pip install --quiet mutmut==3.8.1
	mkdir -p build/mutation
	cp -R consent profiles tests pyproject.toml build/mutation
	cd build/mutation && $(abspath $(BIN))/mutmut run --max-children 1
	$(BIN)/python tests/consent/mutation.py build/mutation/mutants/consent

# The versions everybody gets; pyproject.toml holds the ranges they are chosen from.
lock: $(STAMP)
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --extra dev --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock pyproject.toml

$(STAMP): requirements.lock pyproject.toml
	@echo "setting up $(VENV), once: about a minute"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

clean:
	rm -rf $(VENV) $(DATA) build dist
