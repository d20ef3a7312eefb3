# Every target does its own set-up on a fresh Debian machine; those that install packages need root.
.PHONY: help deps build lint test demo bench docs screenshots clean

PACKAGES = qemu-system-x86 qemu-utils iproute2 procps socat tmux util-linux python3 python3-msgpack openssl git influxdb victoria-metrics \
	libvirt-daemon libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients \
	openssh-server openssh-client netcat-openbsd

help:
	@echo "make build | lint | test | demo | bench | docs | screenshots | clean"

# Debian packages that are missing, then the npm packages of package-lock.json.
deps:
	@test/install-packages $(PACKAGES)
	npm ci

build: node_modules
	node build.mjs

node_modules: package-lock.json
	npm ci
	@touch node_modules

lint: node_modules
	npm run lint
	node --import tsx docs/generate.ts --check

test: deps build lint
	test/run

demo: deps build
	node --import tsx test/lab/demo.ts

bench: deps build
	node --import tsx bench/cycle.ts

docs: node_modules
	node --import tsx docs/generate.ts

# Pictures of the terminal view for the README, of real VMs.
screenshots: deps build
	node --import tsx docs/screenshots.ts

clean:
	rm -rf dist node_modules
