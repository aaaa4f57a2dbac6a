// swift-tools-version: 6.0
// A tracer of swift-distributed-tracing, apart from the package `Polyspan`, which has no dependency. CI does not build it,
// since the API's package cannot be had there; docs/swift.md says what was run.

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
            dependencies: ["Polyspan", .product(name: "Tracing", package: "swift-distributed-tracing")]),
        .testTarget(
            name: "PolyspanTracingTests",
            dependencies: [
                "PolyspanTracing", "Polyspan", .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
