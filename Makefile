# The two commands of the README are `make demo` and `make test`; both install what they need.
BIN := .venv/bin
MAN := man
COMPLETION := completion
BENCHMARKS := startup audit proofs cloud disks

.DEFAULT_GOAL := help
.PHONY: help demo test unit check format docs man completion wheel bench fuzz clean setup

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: ## watch a real machine lose its time, and the cure; writes report.html
	@scripts/setup demo
	$(BIN)/guestclock demo --report report.html

setup: ## install what the tests need, and nothing else
	@scripts/setup test

test: setup ## run all tests, those on real QEMU and libvirt too
	$(BIN)/pytest -n auto

unit: setup ## run the tests that need no QEMU, libvirt or browser
	$(BIN)/pytest -m 'not real'

check: setup ## format, lint, types, then all tests: what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(MAKE) --no-print-directory test

MINUTES := 5
fuzz: setup ## break disk images at random for MINUTES and have them inspected
	$(BIN)/python -m tests.disks.fuzz --minutes $(MINUTES)

format: setup ## put the sources in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: man ## build the documentation into site/ and man/, any warning an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

man: setup ## write the manual pages into man/
	$(BIN)/python tools/make_man.py $(MAN)

completion: setup ## write completions for bash, zsh and fish into completion/
	mkdir -p $(COMPLETION)
	_GUESTCLOCK_COMPLETE=bash_source $(BIN)/guestclock > $(COMPLETION)/guestclock.bash
	_GUESTCLOCK_COMPLETE=zsh_source $(BIN)/guestclock > $(COMPLETION)/_guestclock
	_GUESTCLOCK_COMPLETE=fish_source $(BIN)/guestclock > $(COMPLETION)/guestclock.fish

wheel: setup ## build the wheel, with the small guests assembled
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

bench: setup ## print the ratios that the README promises
	@for one in $(BENCHMARKS:%=benchmarks/%.py); do echo "== $$one"; $(BIN)/python $$one || exit 1; done

clean: ## remove what was made; the next command makes it again
	rm -rf .venv site build dist $(MAN) $(COMPLETION) report.html
