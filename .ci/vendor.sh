#!/usr/bin/env bash
# Brings in what the browser needs and others wrote, from the npm registry: exact versions, checked by their sums.
# Run it by hand to move to a newer version (change version and sum together), never at installation.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch NAME VERSION SHA256: unpack the package into $work/package
fetch() {
  (
    cd "$work"
    rm -rf package
    archive=$(npm pack --silent "$1@$2")
    echo "$3  $archive" | sha256sum --check --quiet
    tar xzf "$archive"
  )
}

vendor=$root/chat/static/chat/vendor
fetch streaming-markdown 0.2.15 78fcb2f82e4a459ec0ed41239e1439a64bcad5768bb7570eedef856a7cd50fcf
install -Dm644 "$work/package/smd.min.js" "$vendor/smd.min.js"
install -Dm644 "$work/package/license" "$vendor/smd.LICENSE.txt"

fonts=$root/accounts/static/parley/fonts
fetch @fontsource-variable/source-sans-3 5.3.0 115c2d5a38a05d52c77ba02e4d939644bae30585a30a2e4657a3be2c99d5c7dc
install -Dm644 -t "$fonts" "$work"/package/files/source-sans-3-latin-wght-{normal,italic}.woff2
install -Dm644 "$work/package/LICENSE" "$fonts/source-sans-3.LICENSE.txt"
fetch @fontsource-variable/source-serif-4 5.3.1 8c452853c74be1e43e9fbfe76321c26f4678a2d431e93209ff1d9faec03fd96f
install -Dm644 -t "$fonts" "$work/package/files/source-serif-4-latin-wght-normal.woff2"
install -Dm644 "$work/package/LICENSE" "$fonts/source-serif-4.LICENSE.txt"

echo "vendored: streaming-markdown 0.2.15, Source Sans 3 (5.3.0), Source Serif 4 (5.3.1)"
