// swift-tools-version: 6.2
import PackageDescription

// Targets stand in flow order; a target depends only on targets above it (docs/ARCHITECTURE.md).
let package = Package(
  name: "icp-trainer",
  products: [.executable(name: "icp", targets: ["icp"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CKernels",
      cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math"])],
      linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("openblas")]),
    .target(name: "MPI", dependencies: ["CMPI"]),
    .target(name: "Kernels", dependencies: ["CKernels"]),
    .target(name: "Formats", dependencies: ["CZlib"]),
    .target(name: "Networks", dependencies: ["Kernels"]),
    .target(name: "Refinement", dependencies: ["Networks", "Kernels"]),
    .target(name: "Datasets", dependencies: ["Kernels", "Formats"]),
    .target(name: "Reporting", dependencies: [.product(name: "Logging", package: "swift-log")]),
    .target(
      name: "Training",
      dependencies: [
        "Refinement", "Networks", "Datasets", "Kernels", "Formats", "MPI", "Reporting",
        .product(name: "Yams", package: "Yams"),
      ]),
    .executableTarget(
      name: "icp",
      dependencies: [
        "Training", "Reporting", "MPI", "Formats",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "TestSupport", dependencies: ["Formats"], path: "Tests/Support"),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Formats", "TestSupport"]),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "TestSupport"]),
    .testTarget(name: "NetworksTests", dependencies: ["Networks", "Kernels", "Formats", "TestSupport"]),
    .testTarget(
      name: "RefinementTests", dependencies: ["Refinement", "Networks", "Kernels", "Formats", "TestSupport"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Formats", "TestSupport"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "Formats", "TestSupport"]),
    .testTarget(name: "CommandTests", dependencies: ["Formats", "MPI", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
