import Foundation

/// A line of what was measured. A file may be anybody's, and what is computed of its numbers divides by them.
protocol MeasuredRecord: Decodable {
  /// Whether a measurement can have left it.
  var isPossible: Bool { get }
}

/// Far above any size or time, and far from an overflow.
enum MeasuredLimit {
  static let count = 1 << 40
  static let seconds = 1e9
}

extension JSONDecoder {
  /// Throws too what no measurement can have left.
  func decodeMeasured<Record: MeasuredRecord>(_ type: Record.Type, from data: Data) throws -> Record {
    let record = try decode(type, from: data)
    guard record.isPossible else {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no measurement left these numbers"))
    }
    return record
  }
}

extension PointRecord: MeasuredRecord {
  var isPossible: Bool {
    let most = MeasuredLimit.count
    return (1...ScalingPlan.most).contains(ranks) && hosts.count == ranks
      && [round, shards, batchSize, buckets].allSatisfy((1...most).contains)
      && [refinementSteps, parameters, messageBytes, warmUp, repeats].allSatisfy((0...most).contains)
      && stretch > 0 && stretch <= MeasuredLimit.seconds && abs(processorShare) <= MeasuredLimit.seconds
      && (0...MeasuredLimit.seconds).contains(clockUncertainty)
  }
}

extension StepRecord: MeasuredRecord {
  var isPossible: Bool {
    let (most, own) = (MeasuredLimit.seconds, arrive - begin - data)
    return (0...MeasuredLimit.count).contains(step)
      && [student, refinement, target, backward, reduction, optimizer, begin, end].allSatisfy { abs($0) <= most }
      && data >= 0 && own > 0 && arrive <= leave && leave <= end
  }
}

extension TransferRecord: MeasuredRecord {
  var isPossible: Bool {
    !hosts.isEmpty && (0...MeasuredLimit.count).contains(bytes) && !seconds.isEmpty
      && seconds.allSatisfy { $0 > 0 && $0 <= MeasuredLimit.seconds }
      && abs(overlap ?? 0) <= MeasuredLimit.seconds
  }
}
