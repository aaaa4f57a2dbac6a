// swift-tools-version: 6.0

import PackageDescription

let package = Package(
    name: "swift-app",
    platforms: [.macOS(.v12)],
    dependencies: [.package(name: "Polyspan", path: "../../bindings-kotlin/swift")],
    targets: [.executableTarget(name: "ParcelApp", dependencies: ["Polyspan"])],
    swiftLanguageModes: [.v6]
)
