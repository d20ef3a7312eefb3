# Every target sets up what it needs on a fresh Debian machine; those that install packages need root.
.PHONY: help deps addon build lint test fuzz chaos test-host host-tests deb package release demo bench bench-compare golden docs screenshots clean

PACKAGES = qemu-system-x86 qemu-utils iproute2 procps socat tmux util-linux e2fsprogs iptables faketime python3 python3-msgpack openssl git influxdb victoria-metrics prometheus rsyslog protobuf-compiler \
	libvirt-daemon libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients \
	openssh-server openssh-client netcat-openbsd lxc busybox-static \
	dpkg-dev debhelper lintian build-essential libsystemd-dev mmdebstrap gnupg systemd fish chromium fonts-dejavu-core poppler-utils

help:
	@echo "make build | deb | release | lint | test | fuzz | chaos | test-host | demo | bench | bench-compare | golden | docs | screenshots | clean"

# Debian packages that are missing, then the npm packages of package-lock.json.
deps:
	@test/install-packages $(PACKAGES)
	npm ci

build: node_modules
	node build.mjs

# Installing runs no scripts of packages (.npmrc), but for the one addon, which is compiled here: sd-notify. It is
# needed by the package alone; without it the daemon speaks to systemd through the program systemd-notify.
node_modules: package-lock.json
	npm ci
	@touch node_modules

addon: node_modules
	npm rebuild sd-notify --ignore-scripts=false --foreground-scripts=false $(NODE_ARCH:%=--arch=%) \
		$(addprefix --nodedir=,$(patsubst %/include/node/node.h,%,$(wildcard $(NODE_PREFIX)/include/node/node.h)))

NODE_PREFIX = $(shell node -p 'path.resolve(process.execPath, "../..")')

# The Debian package, in build/: from a copy without anything that was built here.
deb: deps package

package:
	rm -rf build/deb build/*.deb
	mkdir -p build/deb/proxtop
	tar -c $(foreach path,.git node_modules dist build,--exclude=./$(path)) . | tar -x -C build/deb/proxtop
	cd build/deb/proxtop && PROXTOP_COMMIT=$(COMMIT) dpkg-buildpackage --build=binary --no-sign
	lintian --fail-on error,warning build/deb/*.changes
	mv build/deb/*.deb build/
	rm -rf build/deb

COMMIT = $(shell git rev-parse --short=12 HEAD 2>/dev/null)

# What a release publishes, in build/release: packages for amd64 and arm64, checksums, a bill of materials, a tree for apt.
# KEY=... names the key of gpg that signs them.
release: deps
	debian/build-release build/release "$(KEY)"

lint: node_modules
	npm run lint
	node --import tsx docs/generate.ts --check

test: deps addon build lint
	test/all

# Random inputs for every parser of untrusted input; make test does so for two minutes. FUZZ_SECONDS=3600 make fuzz
fuzz: node_modules
	FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} node --import tsx --test --test-reporter=spec test/fuzz/parsers.test.ts

# The package on a Debian 13 machine with systemd, in an emulator; its disk is made once and kept outside the checkout.
test-host: deps host-tests

host-tests: package build
	test/host/build-image >/dev/null
	node --import tsx --test --test-concurrency=1 --test-timeout=1200000 --test-reporter=spec test/host/host.test.ts test/host/containers.test.ts test/host/install.test.ts

# Chaos around the outputs for an hour. The seeds are printed; CHAOS_SEED=N repeats a schedule.
chaos: deps build
	PROXTOP_ASSERT=1 CHAOS_SEED=$${CHAOS_SEED:-$$(date +%s)} CHAOS_SECONDS=$${CHAOS_SECONDS:-3300} node --import tsx --test --test-timeout=7200000 --test-reporter=spec test/e2e/chaos.test.ts

demo: deps build
	node --import tsx test/lab/demo.ts

# What the whole program costs; bench/ has more. bench-compare measures side by side with another revision:
# make bench-compare BASE=664da81 VMS=200, or BENCH=libvirt, qmp, printers, ... (the head of each file tells its settings).
bench: deps build
	node --import tsx bench/program.ts

BENCH ?= program
bench-compare: deps build
	@[ -n "$(BASE)" ] || { echo "make bench-compare: BASE= is missing: the revision to compare with"; exit 2; }
	bench/checkout $(BASE) build/bench-base
	BASE=build/bench-base node --import tsx bench/$(BENCH).ts

# Regenerates the output of every printer for a fixed node (test/golden); read the diff.
golden: node_modules
	REWRITE_GOLDEN=1 test/run test/golden/golden.test.ts

docs: node_modules
	node --import tsx docs/generate.ts

# Pictures of the terminal view and of a report for the README, of real VMs.
screenshots: deps build
	node --import tsx docs/screenshots.ts
	node --import tsx docs/report-screenshot.ts

clean:
	rm -rf dist build node_modules
