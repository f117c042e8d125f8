import Runtime

/// An error that every rank knows of, so that all leave in order, with the same code, and rank 0 alone tells of it.
package struct SharedError: ExitCoded, CustomStringConvertible {
  package let exitCode: Int32
  package let description: String

  package init(exitCode: Int32, description: String) {
    self.exitCode = exitCode
    self.description = description
  }
}

extension Communicator {
  /// Runs `body`, which talks to no other rank, on every rank; where one fails, all throw the error of the lowest rank
  /// that failed. So nobody waits for a rank that has gone.
  package func collectively<Value>(_ body: () throws -> Value) throws -> Value {
    let result = Result { try body() }
    var mine = ""
    var code: Int32 = 0
    if case .failure(let error) = result {
      code = ExitCode.of(error) ?? ExitCode.internalError
      let place = size > 1 ? "rank \(firstRank + rank) host \(Platform.host): " : ""
      mine = place + "\(error)"
    }
    let lowest = try minimum([Int64(code == 0 ? size : rank)])[0]
    guard lowest < size else { return try result.get() }
    let codes = try maximum([Int64(lowest == rank ? code : 0)])
    let text = String(decoding: try broadcast(Array(mine.utf8), from: Int(lowest)), as: UTF8.self)
    throw SharedError(exitCode: Int32(codes[0]), description: text)
  }

  /// Runs `body` on rank 0, which may fail for all.
  package func onFirstRank(_ body: () throws -> Void) throws {
    try collectively { if rank == 0 { try body() } }
  }

  /// Throws on every rank where `identity` is not the same on all of them, naming the ranks that differ from rank 0.
  package func agree(on what: String, _ identity: String) throws {
    let reference = try broadcast(Array(identity.utf8), from: 0)
    let differs = reference != Array(identity.utf8)
    var flags = [Int64](repeating: 0, count: size)
    flags[rank] = differs ? 1 : 0
    let odd = try maximum(flags).enumerated().filter { $0.element != 0 }.map { "\(firstRank + $0.offset)" }
    guard odd.isEmpty else {
      throw SharedError(
        exitCode: ExitCode.ranksDisagree,
        description:
          "rank \(odd.joined(separator: ", ")): \(what) is not rank \(firstRank)'s; start every rank with the same "
          + "program, configuration and data")
    }
  }
}
