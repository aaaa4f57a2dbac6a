// swift-tools-version: 6.0
// The Swift package. On Linux the native library is found by the linker (`-Xlinker -L<folder>`); for Apple platforms it is
// the xcframework that scripts/xcframework.sh makes, or a released one.

import PackageDescription

#if os(Linux)
let native: Target = .systemLibrary(name: "CPolyspan")
#else
let native: Target = .binaryTarget(name: "CPolyspan", path: "CPolyspan.xcframework")
#endif

/// Where the native library is built, for the package's own tests; released packages do without.
let folder = Context.environment["POLYSPAN_LIBRARY_FOLDER"]
let found: [LinkerSetting] = folder.map { [.unsafeFlags(["-L\($0)", "-Xlinker", "-rpath", "-Xlinker", $0])] } ?? []

let package = Package(
    name: "Polyspan",
    platforms: [.macOS(.v12), .iOS(.v15), .tvOS(.v15), .watchOS(.v8), .visionOS(.v1)],
    products: [.library(name: "Polyspan", targets: ["Polyspan"])],
    targets: [
        native,
        // What Swift has no words for: memory and random numbers of each thread, locks in raw memory.
        .target(name: "PolyspanShims"),
        // Written by UniFFI; nothing in it is for applications.
        .target(name: "PolyspanNative", dependencies: ["CPolyspan"]),
        .target(name: "Polyspan", dependencies: ["PolyspanNative", "PolyspanShims"], linkerSettings: found),
        .testTarget(name: "PolyspanTests", dependencies: ["Polyspan", "PolyspanNative", "PolyspanShims"]),
    ],
    swiftLanguageModes: [.v6]
)
