# The commands of iPack Connect. `make` lists them. What is longer than a line stands in .ci/.

# Tools of the right version: npm's wasm-opt (Debian's breaks the module), then those compiled into .tools,
# then whatever is on PATH. The last entry serves shells that were open before rustup came.
export PATH := $(CURDIR)/end2end/node_modules/.bin:$(CURDIR)/.tools/bin:$(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# .ci/build-site and cargo-leptos set this while they compile, and Leptos is compiled again when it changes. So it is
# always set.
export LEPTOS_OUTPUT_NAME := ipack-connect

program := target/release/ipack-connect
# As old as the beginning of the last build that succeeded.
built := target/release/.ipack-connect-built
# Folders too: their time changes when a file goes.
sources := Cargo.toml Cargo.lock .ci/build-site .ci/finish-site.mjs $(shell find src style public migrations 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run build dev check-dev demo-idp test faults lint fmt bench clean FORCE

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(built) ## Build what changed, then serve on http://127.0.0.1:3000 with demo content
	@exec $(program) serve --demo

build: $(built) ## The release program, with the site inside: target/release/ipack-connect

dev: ## Serve a debug build, build again and reload the page at each change
	@.ci/install-tools dev
	cargo-leptos watch -- serve --demo

check-dev: ## Does `make dev` show an edit in the browser? Prints the seconds
	@.ci/install-tools dev chromium
	node end2end/check-dev.mjs

demo-idp: ## An identity provider to try tokens with, on http://127.0.0.1:3080
	@.ci/install-tools base
	@exec node end2end/identity-provider/demo.mjs

test: ## All tests: Rust on both databases, the browser's on SQLite, and on PostgreSQL those about what is kept
	@.ci/install-tools test
	@.ci/test

faults: ## The faults F01 to F12 at length: kills, full and failing disks, restarts, clocks; a quarter of an hour, best as root
	@.ci/install-tools test
	@.ci/faults

lint: ## Format, clippy for each half, TypeScript, licences and advisories
	@.ci/install-tools lint
	@.ci/lint

fmt: ## Format the Rust code, the views in it too
	@.ci/install-tools lint
	cargo fmt
	leptosfmt --quiet src

bench: $(built) ## The release program beside a Node server and a bare handler: requests per second, latency, memory
	@.ci/install-tools test
	end2end/with-postgres.sh cargo run --locked --release --package ipack-bench

clean: ## Remove what was built (not the tools in .tools, not the data in data)
	rm -rf target end2end/test-results end2end/playwright-report

ifeq ($(wildcard $(program)),)
$(built): FORCE
endif

# The site comes first, for the program has its files inside.
$(built): $(sources)
	@.ci/install-tools build
	@mkdir -p $(@D)
	@touch $@.begun
	@echo "Building the release program and its site. The first time takes about 10 minutes on two cores."
	@.ci/build-site
	cargo build --locked --release --package ipack-server
	@mv $@.begun $@
