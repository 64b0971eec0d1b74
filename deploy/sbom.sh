#!/bin/sh
# Prints what an installation with `npm ci --omit=dev` consists of, in CycloneDX; made of package-lock.json, without the
# network. Development's packages are taken out first: `npm sbom --omit dev` would also leave out what both need, graphql
# among it.
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/conduit-graphql"
cp package.json package-lock.json "$work/conduit-graphql"
cd "$work/conduit-graphql"
npm pkg delete devDependencies
npm prune --silent --package-lock-only --offline --ignore-scripts
npm sbom --package-lock-only --sbom-format cyclonedx
