# layout.sh WIT: makes `wit` in this directory, with the plugin's own world and the contract that it includes.
# The same as in docs/other-languages.md.
set -e
rm -rf wit
mkdir -p wit/deps/proxy-wasm
cp "$1"/*.wit wit/deps/proxy-wasm
cp "$1"/deps/*.wit wit/deps
cp "$(dirname "$0")/world.wit" wit
