#!/usr/bin/env bash
# xcframework.sh: builds the native library for Apple platforms and puts it, with UniFFI's header, into
# CPolyspan.xcframework, which Package.swift takes on a Mac. Needs macOS with Xcode and rustup. Not run in CI.
set -euo pipefail
cd "$(dirname "$0")/.."
package=$PWD
root=$(cd ../.. && pwd)
export MACOSX_DEPLOYMENT_TARGET=12.0 IPHONEOS_DEPLOYMENT_TARGET=15.0

cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
# Where the sources of dependencies lie on this machine is no app's business, and takes room.
for sources in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$sources/="
done
export RUSTFLAGS
# Without the JNI entry, which is for Java, and without what only servers use.
build() { cargo build --profile phone -p polyspan-uniffi --no-default-features --target "$1"; }
for one in aarch64-apple-darwin x86_64-apple-darwin aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios; do
    rustup target add "$one"
    build "$one"
done

generated=$target/xcframework
rm -rf "$generated" "$package/CPolyspan.xcframework"
mkdir -p "$generated/headers" "$generated/macos" "$generated/simulator"
cargo run -p polyspan-uniffi --features cli --bin uniffi-bindgen -- generate --language swift --no-format \
    --config bindings-kotlin/uniffi.toml \
    --out-dir "$generated" "$target/aarch64-apple-darwin/phone/libpolyspan_uniffi.dylib"
cp "$generated"/*.h "$generated/headers/"
cp "$generated"/*.swift "$package/Sources/PolyspanNative/"
# A static library: nothing to sign and to embed.
sed '/link "polyspan_uniffi"/d' "$package/Sources/CPolyspan/module.modulemap" >"$generated/headers/module.modulemap"

# One library for both processors of a platform.
lipo -create -output "$generated/macos/libpolyspan_uniffi.a" \
    "$target/aarch64-apple-darwin/phone/libpolyspan_uniffi.a" "$target/x86_64-apple-darwin/phone/libpolyspan_uniffi.a"
lipo -create -output "$generated/simulator/libpolyspan_uniffi.a" \
    "$target/aarch64-apple-ios-sim/phone/libpolyspan_uniffi.a" "$target/x86_64-apple-ios/phone/libpolyspan_uniffi.a"
xcodebuild -create-xcframework -output "$package/CPolyspan.xcframework" \
    -library "$generated/macos/libpolyspan_uniffi.a" -headers "$generated/headers" \
    -library "$target/aarch64-apple-ios/phone/libpolyspan_uniffi.a" -headers "$generated/headers" \
    -library "$generated/simulator/libpolyspan_uniffi.a" -headers "$generated/headers"
