# make book   the environment, the networks that are missing, and book/_build/html/index.html
# make pdf    the book, and all of it as book/_build/html/lsnotebook.pdf; needs Chromium
# make test   the environment, and the checks
# make pictures  those of the README, from the pages that were built
# make clean  removes pages and caches; networks (data/runs) and .venv stay, as they cost time to make
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/installed

# Programs that others start (Jupyter's kernels, papermill, pytest's subprocesses) are to be the environment's.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: book pdf test lint pictures lock clean

# The networks are trained and evaluated first, where the terminal shows the progress; the pages then find all of it in
# the store.
book: $(READY)
	$(BIN)/lsnotebook train digits --prepare
	$(BIN)/lsnotebook train sorted-digits --prepare
	$(BIN)/jupyter-book build book/ -W --keep-going -n
	$(BIN)/python book/check_pages.py

pdf: book
	$(BIN)/python book/make_pdf.py

# Three processes on two cores: many tests wait for the processes that they start.
test: lint
	$(BIN)/python -m pytest -n 3 --dist loadgroup --cov

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/nbstripout --verify --keep-id book/*.ipynb
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

# Needs Chromium; run it when the main figure or the explorer has changed.
pictures: $(READY)
	$(BIN)/python book/pictures.py

# Written last, so that an installation that broke off is taken up again.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps -e .
	@touch $@

# Newer versions within the ranges of pyproject.toml; needs uv. What GLUE needs is left out: no page uses it.
lock:
	uv pip compile pyproject.toml --universal --extra test --extra pdf --extra cluster --extra gpu --python-version 3.11 --upgrade --no-annotate \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q -o requirements.lock

clean:
	rm -rf book/_build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .coverage* *.egg-info
	find lsnotebook tests book benchmarks -name __pycache__ -prune -exec rm -rf {} +
