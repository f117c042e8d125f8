import Foundation
import TestSupport
import Testing

/// The C sources are for 64-bit ARM too: a cross compiler takes them. launch/test installs it.
@Suite struct `Sources/CKernels and CLoops` {
  private static let compiler = "aarch64-linux-gnu-gcc"

  @Test func `compiles for 64-bit ARM`() throws {
    let folder = try TemporaryDirectory()
    guard try takes("#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n", in: folder) else {
      print("SKIPPED: \(Self.compiler) with its C library is missing; nothing was compiled for ARM")
      return
    }
    let sources = ["CLoops", "CKernels"].map { "\(PackageRoot.path)/Sources/\($0)" }
    // The headers of both libraries are the same for every network, and installed for this one: to be looked for
    // behind the cross compiler's own.
    let headers = try ["dnnl.h", "cblas.h"].flatMap { ["-idirafter", try self.folder(of: $0)] }
    let files = try sources.flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".c") }.sorted().map {
        "\(folder)/\($0)"
      }
    }
    #expect(files.count > 1)
    for file in files {
      // Unoptimised: what the optimiser makes of it is its own business, and takes it 40 s, not 3.
      // clang's pragmas mean nothing here, nor may another compiler's advice fail us; what is no C must.
      let outcome = try Program.run(
        executable: Self.compiler,
        ["-c", "-O0", "-Wall", "-Wno-unknown-pragmas", "-Werror=implicit-function-declaration"]
          + ["-Werror=incompatible-pointer-types", "-Werror=int-conversion"] + headers
          + sources.flatMap { ["-I", "\($0)/include"] } + [file, "-o", folder.path("one.o")])
      #expect(outcome.status == 0, "\(file): \(outcome.standardError)")
      let header = try #require(FileManager.default.contents(atPath: folder.path("one.o"))?.prefix(20))
      #expect(Array(header.suffix(2)) == [183, 0], "\(file), compiled, is not for AArch64 (ELF machine 183)")
    }
  }

  private func takes(_ program: String, in folder: TemporaryDirectory) throws -> Bool {
    try folder.write(program, to: "program.c")
    let arguments = [folder.path("program.c"), "-o", folder.path("program")]
    guard let outcome = try? Program.run(executable: Self.compiler, arguments) else { return false }
    return outcome.status == 0
  }

  /// Where this system keeps a header: Debian has it under the network's name.
  private func folder(of header: String) throws -> String {
    let flags = try? Program.run(executable: "pkg-config", ["--cflags-only-I", "openblas"]).standardOutput
    let named = (flags ?? "").split(whereSeparator: \.isWhitespace).map { String($0.dropFirst(2)) }
    let path = (ProcessInfo.processInfo.environment["CPATH"] ?? "").split(separator: ":").map(String.init)
    let debian = try FileManager.default.contentsOfDirectory(atPath: "/usr/include").filter {
      $0.hasSuffix("-linux-gnu")
    }
    let places = named + path + ["/usr/local/include", "/usr/include"] + debian.map { "/usr/include/\($0)" }
    return try #require(
      places.first { FileManager.default.fileExists(atPath: "\($0)/\(header)") }, "\(header) in none of \(places)")
  }
}
