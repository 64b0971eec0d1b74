#!/bin/sh
# Prints the SBOM (CycloneDX) of an installation with `npm ci --omit=dev`, from package-lock.json and without network access.
# Development packages are removed first, because `npm sbom --omit dev` would also omit packages that both need, such as
# graphql.
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/conduit-graphql"
cp package.json package-lock.json "$work/conduit-graphql"
cd "$work/conduit-graphql"
npm pkg delete devDependencies
npm prune --silent --package-lock-only --offline --ignore-scripts
npm sbom --package-lock-only --sbom-format cyclonedx
