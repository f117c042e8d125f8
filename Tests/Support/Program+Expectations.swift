import Testing

extension Program.Outcome {
  /// Lines of ours on standard error; mpirun writes there too. That of Open MPI 5.0.7 ends its paragraphs with a NUL,
  /// which then stands before our line.
  package var messages: [Substring] {
    standardError.split { $0 == "\n" || $0 == "\0" }.filter { $0.hasPrefix("icp: ") }
  }

  /// Expects an end with `status` whose messages hold each of `says`, and nothing that a user should never see.
  package func expect(
    _ status: Int32, _ says: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(!timedOut, "ran into the time limit", sourceLocation: sourceLocation)
    #expect(self.status == status, "\(standardError)", sourceLocation: sourceLocation)
    for text in says {
      #expect(standardError.contains(text), sourceLocation: sourceLocation)
    }
    for text in ["Fatal error", "Program crashed", "Current stack trace", "signal 4", "signal 11"] {
      #expect(!standardError.contains(text), sourceLocation: sourceLocation)
      #expect(!standardOutput.contains(text), sourceLocation: sourceLocation)
    }
  }
}
