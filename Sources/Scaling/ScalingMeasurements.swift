import Files
import Reporting

/// What a folder's points come to, by series and count.
package struct ScalingMeasurements: Sendable {
  /// As the user named it.
  package let name: String
  package let points: [MeasuredPoint]
  package let probe: [TransferRecord]
  /// By rising counts.
  package let weak, strong: [CountSummary]
  /// One rank with the strong series' batch in one shard.
  package let whole: CountSummary?

  package init(name: String, points: [MeasuredPoint], probe: [TransferRecord] = []) {
    self.name = name
    self.points = points
    // Of emulated phases links are slower by the stretch, and so was the probe.
    let stretch = points.first?.record.stretch ?? 1
    self.probe = probe.map { $0.shortened(by: stretch) }
    func counts(_ series: ScalingSeries) -> [CountSummary] {
      Dictionary(grouping: points.filter { $0.record.series == series }, by: \.record.ranks).sorted { $0.key < $1.key }
        .compactMap { CountSummary($0.value) }
    }
    weak = counts(.weak)
    strong = counts(.strong)
    whole = counts(.whole).first
  }

  package init(_ folder: ScalingFolder) throws(FileError) {
    self.init(name: folder.path, points: try folder.points(), probe: try folder.probe())
  }

  package func counts(_ series: ScalingSeries) -> [CountSummary] {
    switch series {
    case .weak: weak
    case .strong: strong
    case .whole: whole.map { [$0] } ?? []
    }
  }

  package var first: PointRecord { points[0].record }

  /// By the smallest count measured, which is one rank unless the user chose others: in the weak series its time by the
  /// count's; in the strong one its rank seconds.
  package func parallelEfficiency(_ count: CountSummary) -> Double {
    guard let base = counts(count.series).first else { return 1 }
    let ratio = base.time / count.time
    return count.series == .weak ? ratio : ratio * Double(base.ranks) / Double(count.ranks)
  }

  /// Of the strong series: a sample in one shard of the whole batch by one in its shards, both on one rank; nil where
  /// either was not measured.
  package var smallShardEfficiency: Double? {
    guard let whole, let alone = strong.first(where: { $0.ranks == 1 }) else { return nil }
    return whole.breakdown.computing / alone.breakdown.computing
  }

  /// Bytes a second that one exchange of the largest size gets over such links; nil where it was not probed.
  package func bandwidth(_ link: TransferRecord.Link) -> Double? {
    probe.filter { $0.kind == .exchange && $0.link == link }.max { $0.bytes < $1.bytes }.map {
      Double($0.bytes) / Statistics.median($0.seconds)!
    }
  }

  /// The time that a sum over hosts would take if their links did nothing but send what it sends, at their probed
  /// speed, by the time it takes; nil where they were not probed. Ranks of one host sum in memory that they share:
  /// there is no link.
  package func roofline(_ transfer: TransferRecord) -> Double? {
    let share = ReductionSchedule(hosts: transfer.hosts).networkShare
    guard share > 0, let bandwidth = bandwidth(.network) else { return nil }
    return share * Double(transfer.bytes) / bandwidth / Statistics.median(transfer.seconds)!
  }
}
