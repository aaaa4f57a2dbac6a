// swift-tools-version: 6.0
// A tracer of swift-distributed-tracing, apart from the package `Polyspan`, which has no dependency. Written against
// version 1 of that API; not built in CI, where its package cannot be had.

import PackageDescription

let package = Package(
    name: "PolyspanTracing",
    platforms: [.macOS(.v12), .iOS(.v15), .tvOS(.v15), .watchOS(.v8), .visionOS(.v1)],
    products: [.library(name: "PolyspanTracing", targets: ["PolyspanTracing"])],
    dependencies: [
        .package(name: "Polyspan", path: "../swift"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.1.0"),
    ],
    targets: [
        .target(
            name: "PolyspanTracing",
            dependencies: ["Polyspan", .product(name: "Tracing", package: "swift-distributed-tracing")])
    ],
    swiftLanguageModes: [.v6]
)
