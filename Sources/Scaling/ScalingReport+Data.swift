import Files
import Reporting
import Runtime

/// The report's numbers for programs.
extension ScalingReport {
  /// A line a point, disturbed ones too; times in seconds.
  package var csv: String {
    let header = [
      "series", "ranks", "round", "hosts", "shards", "batch_size", "step", "images_per_second", "data", "computing",
      "imbalance", "exposed", "hidden", "optimizer", "load_balance", "serialisation", "transfer", "processor_share",
      "disturbed",
    ]
    let lines = measurements.points.compactMap { point -> [String]? in
      guard let count = CountSummary([point], resamples: false) else { return nil }
      let (record, parts) = (point.record, count.breakdown)
      let numbers: [Double?] = [
        count.time, count.samplesPerSecond, parts.data, parts.computing, parts.imbalance, parts.exposed, count.hidden,
        parts.after, count.efficiency.loadBalance, count.efficiency.serialisation, count.efficiency.transfer,
        record.processorShare,
      ]
      return [record.series.rawValue]
        + [record.ranks, record.round, record.hostCount, record.shards, record.batchSize].map { "\($0)" }
        + numbers.map { $0.map { "\($0)" } ?? "" } + [record.isDisturbed ? "1" : "0"]
    }
    return ([header] + lines).map(CSVText.line).joined()
  }

  private struct CountLine: Encodable {
    let kind = "count"
    let series: ScalingSeries
    let ranks, hosts, shards, batchSize, rounds, disturbed: Int
    let step, stepLow, stepHigh, imagesPerSecond: Double
    let parallel, quantisation: Double
    let smallShards: Double?
    let loadBalance, serialisation, transfer: Double
    let data, computing, imbalance, exposed: Double
    let hidden: Double?
    let optimizer: Double
  }

  private struct TrialLine: Encodable {
    let kind = "held_out"
    let series: ScalingSeries
    let ranks: Int
    let measured, predicted, error: Double
  }

  private struct PredictionLine: Encodable {
    let kind = "prediction"
    let series: ScalingSeries
    let link: String?
    let ranks: Int
    let step, stepLow, stepHigh, parallel, parallelLow, parallelHigh: Double
  }

  /// A line a count, a trial, a prediction; times in seconds.
  package var jsonLines: String {
    var lines: [String] = []
    for series in Self.series {
      for count in measurements.counts(series) {
        let (record, parts, efficiency) = (count.record, count.breakdown, count.efficiency)
        lines.append(
          JSONText.of(
            CountLine(
              series: series, ranks: count.ranks, hosts: record.hostCount, shards: record.shards,
              batchSize: record.batchSize, rounds: count.rounds.count, disturbed: count.disturbed, step: count.time,
              stepLow: count.interval.lowerBound, stepHigh: count.interval.upperBound,
              imagesPerSecond: count.samplesPerSecond, parallel: measurements.parallelEfficiency(count),
              quantisation: ShardEfficiency.quantisation(shards: record.shards, ranks: record.ranks),
              smallShards: series == .strong ? measurements.smallShardEfficiency : nil,
              loadBalance: efficiency.loadBalance, serialisation: efficiency.serialisation,
              transfer: efficiency.transfer, data: parts.data, computing: parts.computing, imbalance: parts.imbalance,
              exposed: parts.exposed, hidden: count.hidden, optimizer: parts.after), snakeCase: true))
      }
    }
    for forecast in forecasts {
      lines += forecast.heldOut.map {
        JSONText.of(
          TrialLine(
            series: forecast.series, ranks: $0.ranks, measured: $0.measured, predicted: $0.predicted, error: $0.error),
          snakeCase: true)
      }
    }
    for outlook in outlooks {
      lines += outlook.predictions.map {
        JSONText.of(
          PredictionLine(
            series: outlook.series, link: outlook.link?.name, ranks: $0.ranks, step: $0.seconds,
            stepLow: $0.interval.lowerBound, stepHigh: $0.interval.upperBound, parallel: $0.efficiency,
            parallelLow: $0.efficiencyInterval.lowerBound, parallelHigh: $0.efficiencyInterval.upperBound),
          snakeCase: true)
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }
}
