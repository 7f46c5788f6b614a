# On a fresh clone each of these is the only command needed: it sets up .venv first.

help:
	@echo "make demo       train a grid of networks, fit its scaling law, predict the large ones (minutes)"
	@echo "make check      ruff, mypy, import-linter and the quick tests: for every edit"
	@echo "make test       make check, and every other test that guards a promise"
	@echo "make test-all   make test, and the most expensive tests, at full statistical power (half an hour)"
	@echo "make lowest     the tests of make check, with the lowest versions of all packages that errsrc allows"
	@echo "make gradients  write the numpy code of the laws' formulas and derivatives again, after a change"
	@echo "make notebooks  run the notebooks, into out/notebooks as .ipynb and HTML (minutes)"
	@echo "make docs       the site: tutorials, guide, gallery and reference; open docs/build/html/index.html (minutes)"
	@echo "make clean      remove .venv, .venv-lowest and caches"

demo: .venv/.ready
	@./setup.sh fashion-mnist
	.venv/bin/errsrc demo

# Each tier of tests contains the one before.  The same examples are drawn every time, but in test-all.
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 --dist worksteal
QUICK = --hypothesis-profile=ci -m "not full and not slow"

check: lint
	$(PYTEST) $(QUICK)

test: lint
	$(PYTEST) --hypothesis-profile=ci -m "not slow"

test-all: lint lowest
	@./setup.sh docs
	$(PYTEST) --hypothesis-profile=fresh --full-power

lowest: .venv-lowest/.ready
	$(subst .venv,.venv-lowest,$(PYTEST)) $(QUICK)

lint: .venv/.ready
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

gradients: .venv/.ready
	.venv/bin/python -m errsrc.laws.derivatives > gradients.py
	.venv/bin/ruff format --quiet gradients.py && mv gradients.py errsrc/laws/gradients.py

notebooks: .venv/.ready
	@./setup.sh notebooks
	mkdir -p out/notebooks
	for each in notebooks/*.py; do \
		.venv/bin/python -m jupytext --quiet --output "out/$${each%.py}.ipynb" "$$each" || exit 1; \
	done
	.venv/bin/python -m nbconvert --to notebook --execute --inplace out/notebooks/*.ipynb
	.venv/bin/python -m nbconvert --to html out/notebooks/*.ipynb

.venv/.ready: pyproject.toml constraints.txt setup.sh
	@./setup.sh

.venv-lowest/.ready: pyproject.toml constraints.txt constraints-lowest.txt setup.sh
	@./setup.sh lowest

docs: .venv/.ready
	@./setup.sh docs
	.venv/bin/python -m sphinx -W --keep-going -q docs docs/build/html

clean:
	rm -rf .venv .venv-lowest build dist docs/build docs/packages docs/gallery/*.ipynb *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help demo check test test-all lowest lint gradients notebooks docs clean
