// swift-tools-version: 6.0
// What benches/run.py measures in Swift; `cargo xtask swift-bench` builds it.

import PackageDescription

let package = Package(
    name: "polyspan-bench",
    platforms: [.macOS(.v12)],
    dependencies: [.package(name: "Polyspan", path: "../../bindings-kotlin/swift")],
    targets: [.executableTarget(name: "PolyspanBench", dependencies: ["Polyspan"])],
    swiftLanguageModes: [.v6]
)
