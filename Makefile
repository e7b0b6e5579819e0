# The commands of iPack Connect. `make` lists them. What is longer than a line stands in .ci/.

# Tools of the right version: npm's wasm-opt (Debian's breaks the module), then those compiled into .tools,
# then whatever is on PATH. The last entry serves shells that were open before rustup came.
export PATH := $(CURDIR)/end2end/node_modules/.bin:$(CURDIR)/.tools/bin:$(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# cargo-leptos sets this while it compiles, and Leptos is compiled again when it changes. So it is always set.
export LEPTOS_OUTPUT_NAME := ipack-connect

program := target/release/ipack-connect
# As old as the beginning of the last build that succeeded.
built := target/release/.ipack-connect-built
# Folders too: their time changes when a file goes.
sources := Cargo.toml Cargo.lock $(shell find src style public migrations 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run build dev demo-idp test lint fmt bench clean FORCE

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(built) ## Build what changed, then serve on http://127.0.0.1:3000 with demo content
	@exec $(program) serve --demo

build: $(built) ## The release program, with the site inside: target/release/ipack-connect

dev: ## Serve a debug build, build again and reload the page at each change
	@.ci/install-tools build
	cargo-leptos watch -- serve --demo

demo-idp: ## An identity provider to try tokens with, on http://127.0.0.1:3080
	@.ci/install-tools base
	@exec node end2end/identity-provider/demo.mjs

test: ## All tests: Rust on both databases, then the browser's on SQLite and on PostgreSQL
	@.ci/install-tools test
	@.ci/test

lint: ## Format, clippy for each half, TypeScript, licences and advisories
	@.ci/install-tools lint
	@.ci/lint

fmt: ## Format the Rust code, the views in it too
	@.ci/install-tools lint
	cargo fmt
	leptosfmt --quiet src

bench: $(built) ## The release program beside a bare handler: requests per second, latency, memory
	cargo run --release --features ssr,bench --bin ipack-bench

clean: ## Remove what was built (not the tools in .tools, not the data in data)
	rm -rf target end2end/test-results end2end/playwright-report

ifeq ($(wildcard $(program)),)
$(built): FORCE
endif

# The browser's half comes first, is compressed (.br and .gz beside each file), and is then embedded in the
# program. The list of embedded files is fixed when the program is compiled, and cargo notices a changed file
# but not a new one: so the program's own crate is compiled anew. Its dependencies are not.
$(built): $(sources)
	@.ci/install-tools build
	@mkdir -p $(@D)
	@touch $@.begun
	@echo "Building the release program and its site. The first time takes about 15 minutes on two cores."
	@cargo clean --quiet --release --package ipack-connect
	cargo-leptos build --release --precompress
	@mv $@.begun $@
