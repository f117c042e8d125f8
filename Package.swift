// swift-tools-version: 6.2
import PackageDescription

// Without it every square root keeps a branch that sets errno, and loops around it do not vectorise: adam's rule takes
// 3.3 ns an element with the branch, 0.6 ns without.
let noMathErrno: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-fno-math-errno"])]

// libdnnl must find our C++ operators new and delete (Sources/CKernels/arena.c) before the C++ library's. It asks for them
// by the version of that library, which the program does not link: without a word the linker keeps them to itself.
let operatorsForLibraries: [LinkerSetting] = [
  .unsafeFlags(["_Znwm", "_ZdlPv", "_ZdlPvm"].flatMap { ["-Xlinker", "--export-dynamic-symbol=\($0)"] })
]

// Open MPI by its own header; MPICH 5 and Intel MPI by the standard ABI of MPI 5; MPICH before that, whose handles are
// numbers, through a shim. launch/setup sets ICP_MPI as needed.
let mpi: Target =
  switch Context.environment["ICP_MPI"] {
  case "abi": .systemLibrary(name: "CMPI", path: "Sources/CMPI-ABI", pkgConfig: "icp-mpi-abi")
  case "shim": .target(name: "CMPI", path: "Sources/CMPI-shim", linkerSettings: [.linkedLibrary("mpich")])
  default: .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])])
  }

// Targets stand in flow order; a target depends only on targets above it (docs/ARCHITECTURE.md).
let package = Package(
  name: "icp-trainer",
  products: [.executable(name: "icp", targets: ["icp"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
  ],
  targets: [
    mpi,
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CLoops", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math"])]),
    .target(
      name: "CKernels", dependencies: ["CLoops"],
      cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math"])],
      linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("openblas")] + operatorsForLibraries),
    .target(
      name: "CImages", cSettings: [.unsafeFlags(["-O3"])],
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
    .target(name: "CShared"),
    .target(name: "CSupervision"),
    .target(name: "Runtime"),
    .target(name: "Files", dependencies: ["Runtime"]),
    .target(name: "MPI", dependencies: ["Runtime", "CMPI", "CShared"]),
    .target(name: "Kernels", dependencies: ["CKernels"]),
    .target(name: "Formats", dependencies: ["Files", "CZlib"]),
    .target(name: "Graph", dependencies: ["Kernels", "Runtime"]),
    .target(name: "Operators", dependencies: ["Graph", "Kernels", "CKernels"]),
    .target(name: "Execution", dependencies: ["Operators", "Graph", "Kernels"]),
    .target(name: "Models", dependencies: ["Operators", "Graph", "Kernels", "Formats", "Files", "Runtime"]),
    .target(name: "Images", dependencies: ["CImages", "Kernels"]),
    .target(
      name: "Refinement", dependencies: ["Models", "Execution", "Graph", "Kernels", "Runtime"],
      swiftSettings: noMathErrno),
    .target(name: "Pictures", dependencies: ["Images", "Kernels", "Formats", "Files", "Runtime"]),
    .target(name: "Datasets", dependencies: ["Pictures", "Images", "Kernels", "Formats", "Files", "Runtime"]),
    .target(name: "Loading", dependencies: ["Datasets", "Images", "Kernels", "Pictures", "Files"]),
    .target(name: "Reporting", dependencies: ["Files", "Runtime", .product(name: "Logging", package: "swift-log")]),
    .target(name: "Optimization", dependencies: ["Kernels"], swiftSettings: noMathErrno),
    .target(
      name: "Configuration",
      dependencies: [
        "Refinement", "Models", "Execution", "Graph", "Datasets", "Images", "Kernels", "Formats", "Files", "Runtime",
        .product(name: "Yams", package: "Yams"),
      ], swiftSettings: noMathErrno),
    .target(
      name: "Method",
      dependencies: [
        "Configuration", "Refinement", "Models", "Execution", "Graph", "Loading", "Datasets", "Kernels", "Runtime",
      ],
      swiftSettings: noMathErrno),
    .target(
      name: "Planning",
      dependencies: [
        "Configuration", "Method", "Optimization", "Refinement", "Models", "Execution", "Graph", "Loading", "Datasets",
        "Kernels",
        "Formats", "Files",
        "Reporting", "Runtime",
      ], swiftSettings: noMathErrno),
    .target(
      name: "Checkpointing",
      dependencies: ["Configuration", "Optimization", "Models", "Graph", "Formats", "Files", "Runtime"],
      swiftSettings: noMathErrno),
    .target(
      name: "Export",
      dependencies: [
        "Checkpointing", "Configuration", "Models", "Execution", "Graph", "Kernels", "Formats", "Files", "Runtime",
      ]),
    .target(
      name: "Supervision", dependencies: ["MPI", "Kernels", "Files", "Reporting", "Runtime", "CSupervision"],
      swiftSettings: noMathErrno),
    .target(
      name: "Reduction",
      dependencies: [
        "Supervision", "Method", "Optimization", "Configuration", "Models", "Execution", "Graph", "Loading", "Datasets",
        "Kernels",
        "Formats", "MPI", "Runtime", "CShared",
      ], swiftSettings: noMathErrno),
    .target(
      name: "Evaluation",
      dependencies: [
        "Planning", "Checkpointing", "Supervision", "Configuration", "Refinement", "Models", "Execution", "Graph",
        "Datasets", "Pictures", "Images", "Kernels", "Formats", "Files", "MPI", "Reporting", "Runtime",
      ], swiftSettings: noMathErrno),
    .target(
      name: "Doctor",
      dependencies: [
        "Evaluation", "Checkpointing", "Reduction", "Planning", "Configuration", "Optimization", "Models", "Execution",
        "Graph", "Loading", "Kernels", "Files", "MPI", "Reporting", "Runtime",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: noMathErrno),
    .target(
      name: "Training",
      dependencies: [
        "Doctor", "Evaluation", "Reduction", "Checkpointing", "Supervision", "Planning", "Configuration", "Method",
        "Optimization", "Refinement", "Models", "Execution", "Graph", "Loading", "Datasets", "Kernels", "Formats",
        "Files", "MPI",
        "Reporting",
        "Runtime", .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: noMathErrno),
    .target(
      name: "Sessions",
      dependencies: [
        "Training", "Doctor", "Evaluation", "Reduction", "Checkpointing", "Supervision", "Planning", "Configuration",
        "Models", "Graph", "Loading", "Kernels", "Formats", "Files", "MPI", "Reporting", "Runtime",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: noMathErrno),
    .target(
      name: "Studies",
      dependencies: [
        "Sessions", "Training", "Doctor", "Evaluation", "Supervision", "Checkpointing", "Planning", "Configuration",
        "Kernels",
        "Formats", "Files", "MPI", "Reporting", "Runtime", .product(name: "Yams", package: "Yams"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: noMathErrno),
    .target(name: "Scaling", dependencies: ["Reporting", "Files", "Runtime"]),
    .target(
      name: "Benchmarks",
      dependencies: [
        "Scaling", "Training", "Doctor", "Supervision", "Reduction", "Planning", "Configuration", "Method",
        "Refinement", "Models",
        "Execution",
        "Operators", "Graph", "Loading", "Datasets", "Kernels", "Files", "MPI", "Reporting", "Runtime",
      ], swiftSettings: noMathErrno),
    .target(
      name: "Inspection",
      dependencies: [
        "Planning", "Configuration", "Datasets", "Pictures", "Images", "Kernels", "Formats", "Reporting", "Runtime",
        "Models", "Graph", "Files",
      ]),
    .target(
      name: "Report",
      dependencies: [
        "Studies", "Evaluation", "Checkpointing", "Configuration", "Datasets", "Images", "Reporting", "Files",
        "Runtime",
        .product(name: "Mustache", package: "swift-mustache"),
      ]),
    .target(
      name: "Commands",
      dependencies: [
        "Report", "Benchmarks", "Scaling", "Studies", "Sessions", "Doctor", "Evaluation", "Reduction", "Supervision",
        "Checkpointing",
        "Inspection", "Export", "Configuration", "Formats", "Files", "MPI", "Reporting", "Runtime",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "icp", dependencies: ["Commands"]),
    // icp with faults on purpose: the released program has none of it (docs/RELIABILITY.md).
    .target(name: "CFaults", dependencies: ["CShared"], path: "Tests/Executable/CFaults"),
    .target(
      name: "FaultInjection", dependencies: ["CFaults", "Supervision", "Kernels", "Files", "Runtime"],
      path: "Tests/Executable/FaultInjection"),
    .executableTarget(
      name: "icp-faulty", dependencies: ["Commands", "FaultInjection"], path: "Tests/Executable/ICPFaulty"),
    .executableTarget(name: "mpi-probe", dependencies: ["MPI"], path: "Tests/Executable/MPIProbe"),
    .executableTarget(name: "sums-probe", dependencies: ["Reduction", "MPI"], path: "Tests/Executable/SumsProbe"),
    .target(name: "CAllocationCounter", dependencies: ["CMPI"], path: "Tests/Executable/CAllocationCounter"),
    // Names of functions, for its backtraces.
    .executableTarget(
      name: "allocation-probe",
      dependencies: [
        "CAllocationCounter", "Training", "Supervision", "Planning", "Configuration", "Method", "Models", "Execution",
        "Graph", "Loading", "Datasets",
        "Kernels", "MPI",
      ],
      path: "Tests/Executable/AllocationProbe", linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"])]),
    .target(name: "CMemoryWatch", path: "Tests/Fuzz/CMemoryWatch"),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Studies", "Training", "Doctor", "Evaluation", "Planning", "Checkpointing", "Configuration", "Optimization",
        "Datasets",
        "Models", "Execution", "Graph", "Kernels", "Formats", "Files", "Runtime",
      ],
      path: "Tests/Fuzz/Targets"),
    .executableTarget(
      name: "corpus-probe", dependencies: ["FuzzTargets", "CMemoryWatch"], path: "Tests/Executable/CorpusProbe"),
    .target(name: "TestSupport", dependencies: ["Images", "Formats", "Kernels", "Files"], path: "Tests/Support"),
    // What a file's network computes, for launch/test-networks.
    .executableTarget(
      name: "network-probe", dependencies: ["Models", "Execution", "Graph", "Kernels", "Formats", "Files"],
      path: "Tests/Executable/NetworkProbe"),
    .target(name: "GraphSupport", dependencies: ["Execution", "Graph", "Kernels"], path: "Tests/GraphSupport"),
    .testTarget(name: "SupportTests", dependencies: ["TestSupport"]),
    .testTarget(name: "RuntimeTests", dependencies: ["Runtime", "TestSupport"]),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
    .testTarget(name: "MPITests", dependencies: ["MPI", "Runtime", "TestSupport"]),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "TestSupport"]),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "Files", "TestSupport"]),
    .testTarget(name: "GraphTests", dependencies: ["Graph", "Kernels"]),
    .testTarget(
      name: "OperatorsTests",
      dependencies: ["Execution", "Operators", "Graph", "Kernels", "TestSupport", "GraphSupport"]),
    .testTarget(
      name: "ExecutionTests",
      dependencies: ["Models", "Execution", "Operators", "Graph", "Formats", "Kernels", "TestSupport", "GraphSupport"]),
    .testTarget(
      name: "ModelsTests",
      dependencies: ["Models", "Execution", "Graph", "Formats", "Kernels", "Files", "TestSupport"]),
    .testTarget(name: "ImagesTests", dependencies: ["Images", "Formats", "Kernels", "TestSupport"]),
    .testTarget(
      name: "RefinementTests",
      dependencies: ["Refinement", "Models", "Execution", "Graph", "Formats", "Kernels", "TestSupport"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: ["Loading", "Datasets", "Pictures", "Images", "Formats", "Kernels", "TestSupport"]),
    .testTarget(
      name: "ReportingTests",
      dependencies: ["Reporting", "Files", "Runtime", "TestSupport", .product(name: "Logging", package: "swift-log")]),
    .testTarget(name: "OptimizationTests", dependencies: ["Optimization", "Formats", "Kernels", "TestSupport"]),
    .testTarget(
      name: "ConfigurationTests",
      dependencies: [
        "Configuration", "Datasets", "Images", "Refinement", "Models", "Formats", "Kernels", "TestSupport",
      ]),
    .testTarget(
      name: "MethodTests",
      dependencies: [
        "Method", "Planning", "Configuration", "Optimization", "Loading", "Datasets", "Refinement", "Models", "Graph",
        "Kernels", "Runtime", "TestSupport",
      ]),
    .testTarget(
      name: "CheckpointingTests",
      dependencies: [
        "Checkpointing", "Configuration", "Datasets", "Models", "Graph", "Formats", "Kernels", "Files", "Runtime",
        "TestSupport",
      ]),
    .testTarget(
      name: "ExportTests",
      dependencies: [
        "Export", "Models", "Execution", "Operators", "Graph", "Formats", "Kernels", "Files", "TestSupport",
      ]),
    .testTarget(name: "SupervisionTests", dependencies: ["Supervision", "MPI", "Runtime"]),
    .testTarget(
      name: "ReductionTests",
      dependencies: [
        "Reduction", "Method", "Optimization", "Configuration", "Models", "Graph", "Loading", "Kernels", "MPI",
        "Runtime", "TestSupport",
      ]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Evaluation", "Datasets", "Models", "Execution", "Graph", "Formats", "Kernels", "MPI", "Runtime", "TestSupport",
      ]),
    .testTarget(name: "SessionsTests", dependencies: ["Sessions", "Configuration"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Evaluation", "Supervision", "Checkpointing", "Planning", "Configuration", "Method", "Optimization",
        "Models", "Loading", "Kernels", "Files", "MPI", "Reporting", "Runtime", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(name: "DoctorTests", dependencies: ["Doctor"]),
    .testTarget(name: "StudiesTests", dependencies: ["Studies", "Configuration", "Formats", "TestSupport"]),
    .testTarget(name: "ScalingTests", dependencies: ["Scaling", "Files", "TestSupport"]),
    .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks", "Models", "Operators", "Graph", "Kernels"]),
    .testTarget(
      name: "ReportTests", dependencies: ["Report", "Studies", "Reporting", "Datasets", "Files", "TestSupport"]),
    .testTarget(name: "LaunchTests", dependencies: ["Runtime", "TestSupport"]),
    .testTarget(
      name: "CommandTests",
      dependencies: ["Commands", "Studies", "Checkpointing", "Formats", "Kernels", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)

// Only launch/fuzz builds this: it links with nothing but -sanitize=fuzzer.
if Context.environment["ICP_FUZZ"] != nil {
  package.targets += [
    .target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
    .executableTarget(
      name: "icp-fuzz", dependencies: ["FuzzTargets", "CMemoryWatch", "CFuzzer"], path: "Tests/Fuzz/Driver"),
  ]
}
