import Reporting
import Runtime

extension ScalingReport {
  package var markdown: String {
    var parts = ["# Scaling\n\n\(head)"]
    for series in Self.series where !measurements.counts(series).isEmpty {
      parts.append("## \(Self.title(series))\n\n\(Self.meaning(series))\n\n\(countTable(series))")
      parts.append("### Where a step's time goes\n\n\(breakdownTable(series))")
      parts.append("### What is to be expected of more ranks\n\n\(forecastText(series))")
    }
    if !measurements.probe.isEmpty { parts.append("## The network\n\n\(networkTable)") }
    return parts.joined(separator: "\n")
  }

  static func title(_ series: ScalingSeries) -> String {
    switch series {
    case .weak: "Weak scaling"
    case .strong: "Strong scaling"
    case .whole: "One shard"
    }
  }

  private static func meaning(_ series: ScalingSeries) -> String {
    series == .weak
      ? "A shard a rank, each of as many samples: the batch grows with the ranks, so results differ from count to count."
      : "One batch in one number of shards: the same results, to the bit, at each count."
  }

  private var head: String {
    let first = measurements.first
    let hosts = Set(measurements.points.flatMap(\.record.hosts)).count
    let disturbed = measurements.points.count { $0.record.isDisturbed }
    var lines = [
      "\(first.program).",
      "\(first.model), "
        + (first.refinementSteps > 0 ? "T = \(first.refinementSteps)" : "no refinement")
        + ", \(Table.grouped(first.parameters)) parameters, \(Table.grouped(first.messageBytes)) bytes a step from each rank "
        + "in \(counted(first.buckets, "bucket")); \(counted(hosts, "host")).",
      "\(counted(measurements.points.count, "point")), \(disturbed) disturbed: a rank had its core for less than "
        + "\(decimal(PointRecord.leastShare * 100, places: 0)) % of the time. A count's disturbed rounds are left out where it has others.",
    ]
    if first.stretch != 1 {
      lines.append(
        "Emulated: measured phases were slept, \(decimal(first.stretch, places: 1)) times as long, over links as much slower; "
          + "times are divided by that.")
    }
    let uncertainty = measurements.points.map(\.record.clockUncertainty).max()! / first.stretch
    if uncertainty > 0 {
      lines.append(
        "Clocks of hosts agree within \(decimal(uncertainty * 1e6, places: 0)) us; what they differ moves between imbalance and "
          + "exposed communication.")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func countTable(_ series: ScalingSeries) -> String {
    let isStrong = series == .strong
    let header =
      ["ranks", "hosts", "shards", "step, ms", "95 %", "images/s", "parallel"]
      + (isStrong ? ["quantisation", "small shards"] : [])
      + ["load balance", "serialisation", "transfer", "rounds", "disturbed"]
    let rows = measurements.counts(series).map { count in
      let record = count.record
      let quantisation = percent(ShardEfficiency.quantisation(shards: record.shards, ranks: record.ranks))
      return [
        "\(record.ranks)", "\(record.hostCount)", "\(record.shards)", milliseconds(count.time),
        "\(milliseconds(count.interval.lowerBound)) to \(milliseconds(count.interval.upperBound))",
        decimal(count.samplesPerSecond, places: 1), percent(measurements.parallelEfficiency(count)),
      ] + (isStrong ? [quantisation, measurements.smallShardEfficiency.map { percent($0) } ?? ""] : []) + [
        percent(count.efficiency.loadBalance), percent(count.efficiency.serialisation),
        percent(count.efficiency.transfer), "\(count.rounds.count)", "\(count.disturbed) of \(count.measured)",
      ]
    }
    return Self.table(header, rows)
  }

  private func breakdownTable(_ series: ScalingSeries) -> String {
    let rows = measurements.counts(series).map { count in
      let parts = count.breakdown
      return [
        "\(count.ranks)", milliseconds(parts.data), milliseconds(parts.computing), milliseconds(parts.imbalance),
        milliseconds(parts.exposed), count.hidden.map(milliseconds) ?? "", milliseconds(parts.after),
        milliseconds(parts.step), count.withoutOverlap.map { milliseconds($0.step) } ?? "",
      ]
    }
    return
      "Milliseconds, means over ranks and steps. *Exposed*: from the last rank's arrival at the sums to their end; "
      + "*hidden*: by how much more the same step without overlap exposes.\n\n"
      + Self.table(
        ["ranks", "data", "computing", "imbalance", "exposed", "hidden", "optimiser", "step", "without overlap"], rows)
  }

  private func forecastText(_ series: ScalingSeries) -> String {
    guard let forecast = forecasts.first(where: { $0.series == series }) else {
      return "Nothing: the model is tried on counts that it was not fitted on, which takes three counts.\n"
    }
    var text =
      "Fitted on \(listed(forecast.fitted.map { "\($0)" })) \(forecast.fitted == [1] ? "rank" : "ranks").\n\n"
      + Self.table(
        ["held out", "measured, ms", "predicted, ms", "error"],
        forecast.heldOut.map {
          ["\($0.ranks)", milliseconds($0.measured), milliseconds($0.predicted), percent($0.error)]
        })
    text += "\nOf all counts: \(parameters(forecast.model)).\n"
    if let refusal = forecast.refusal { return text + "\n**Nothing is predicted**: \(refusal).\n" }
    for outlook in outlooks where outlook.series == series {
      let title = outlook.link.map { "over \($0.name)" } ?? "over the links that were measured"
      guard !outlook.predictions.isEmpty else {
        if outlook.link == nil { text += "\nNothing \(title): no count crossed hosts, or more ranks than shards.\n" }
        continue
      }
      text +=
        "\nPredicted \(title), with the middle 95 % of resampled rounds, wider by the held-out error:\n\n"
        + Self.table(
          ["ranks", "step, ms", "interval", "parallel", "interval"],
          outlook.predictions.map {
            [
              "\($0.ranks)", milliseconds($0.seconds),
              "\(milliseconds($0.interval.lowerBound)) to \(milliseconds($0.interval.upperBound))",
              percent($0.efficiency),
              "\(percent($0.efficiencyInterval.lowerBound)) to \(percent(min(1, $0.efficiencyInterval.upperBound)))",
            ]
          })
    }
    return text
  }

  private func parameters(_ model: ScalingModel) -> String {
    let shards = model.shardSeconds.sorted { $0.key < $1.key }.map {
      "\(milliseconds($0.value)) ms a shard with \(counted($0.key, "rank")) a host"
    }
    func link(_ name: String, _ latency: Double, _ byte: Double) -> String {
      "\(name) \(decimal(latency * 1e6, places: 1)) us an exchange"
        + (byte > 0 ? " and \(decimal(1e-6 / byte, places: 1)) MB/s" : "")
    }
    let cost = model.cost.map { cost in
      (cost.knowsHost ? [link("within a host", cost.hostLatency, cost.hostByte)] : [])
        + (cost.knowsNetwork ? [link("between hosts", cost.networkLatency, cost.networkByte)] : [])
    }
    return
      (shards + (cost ?? []) + [
        "\(percent(model.hiding)) of what the backward pass could hide is hidden"
      ]).joined(separator: "; ")
  }

  private var networkTable: String {
    let rows = measurements.probe.map { transfer in
      let seconds = Statistics.median(transfer.seconds)!
      let overlap = transfer.overlap.map { percent($0) } ?? ""
      let roofline = transfer.kind == .sum ? measurements.roofline(transfer).map { percent($0) } ?? "" : ""
      return [
        transfer.kind == .sum ? "sum" : "exchange", Self.name(transfer.link), "\(transfer.hosts.count)",
        Table.grouped(transfer.bytes), decimal(seconds * 1e6, places: 1),
        decimal(Double(transfer.bytes) / seconds / 1e6, places: 1), roofline, overlap,
      ]
    }
    return
      "*Exchange*: two ranks send each other a message at once. *Sum*: as a step makes it, in the same buckets. *Roofline*: "
      + "what the links between hosts allow at best, by what the sum takes. *Overlap*: the share of a sum that a computation as long hides.\n\n"
      + Self.table(["", "links", "ranks", "bytes", "us", "MB/s", "roofline", "overlap"], rows)
  }

  static func name(_ link: TransferRecord.Link) -> String {
    switch link {
    case .host: "within a host"
    case .network: "between hosts"
    case .all: "all ranks"
    }
  }

  static func table(_ header: [String], _ rows: [[String]]) -> String {
    ([header, header.map { _ in "---:" }] + rows).map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }
}

func milliseconds(_ seconds: Double) -> String { decimal(seconds * 1e3, places: seconds < 0.1 ? 2 : 1) }
