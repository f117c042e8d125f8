/// The sum of a step alone, or an exchange of two ranks: `repeats` times in seconds, by the slowest rank of each.
package struct TransferRecord: Codable, Sendable {
  package enum Kind: String, Codable, Sendable { case sum, exchange }

  /// Which links a message crosses.
  package enum Link: String, Codable, CaseIterable, Sendable {
    /// Ranks of one host.
    case host
    /// One rank a host.
    case network
    /// The ranks as a run has them.
    case all
  }

  package var kind: Kind
  package var link: Link
  /// The host of each rank that takes part.
  package var hosts: [String]
  package var bytes: Int
  package var seconds: [Double]
  /// Of the time that a sum takes, the share that a computation beside it hides; nil where that was not measured.
  package var overlap: Double?

  package init(
    kind: Kind, link: Link, hosts: [String], bytes: Int, seconds: [Double], overlap: Double? = nil
  ) {
    self.kind = kind
    self.link = link
    self.hosts = hosts
    self.bytes = bytes
    self.seconds = seconds
    self.overlap = overlap
  }

  func shortened(by stretch: Double) -> TransferRecord {
    TransferRecord(
      kind: kind, link: link, hosts: hosts, bytes: bytes, seconds: seconds.map { $0 / stretch }, overlap: overlap)
  }
}
