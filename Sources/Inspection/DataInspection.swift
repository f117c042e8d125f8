import Configuration
import Datasets
import Files
import Formats
import Images
import Planning
import Reporting
import Runtime

/// What `icp data` shows of a configuration's data, before anything is trained.
package struct DataInspection {
  private let configuration: RunConfiguration
  private let data: DataSplits
  private let report: DataReport
  /// So many duplicates, bad files and classes are named.
  private static let mostNamed = 20

  /// Reads every image once; bad files are told of, not stopped at.
  /// Throws: FileError.
  package init(_ configuration: RunConfiguration) throws {
    self.configuration = configuration
    var options = DataOptions(configuration)
    options.badFiles = .skip
    options.indexes = try options.pictureIndexes()
    data = try DataSplits.load(options)
    report = try DataReport(data)
  }

  package var text: String {
    [
      head, splits, classes, list("bad files", report.skippedNames, count: report.skipped),
      list("images that are the same", report.duplicates.map(line), count: report.duplicates.count),
      report.shared.isEmpty
        ? nil
        : "WARNING: \(counted(report.shared.count, "image")) in more than one of training, validation and test: what is measured "
          + "there was trained on",
    ].compactMap(\.self).joined(separator: "\n\n")
  }

  private var head: String {
    let place = configuration.data.path ?? "drawn"
    var lines = [
      "\(configuration.data.format.rawValue): \(place)", "the network reads \(report.shape) (channels, height, width)",
    ]
    lines += report.kinds.map { "\(counted($0.count, "file")) \($0.count == 1 ? "is" : "are") \($0.kind)" }
    if report.widths.count > 1 || report.heights.count > 1 {
      lines.append(
        "widths \(report.widths.lowerBound) to \(report.widths.upperBound), heights \(report.heights.lowerBound) to "
          + "\(report.heights.upperBound) pixels")
    }
    return lines.joined(separator: "\n")
  }

  private var splits: String {
    func rounded(_ values: [Double]) -> String { values.map { decimal($0, places: 4) }.joined(separator: " ") }
    return Table.text(
      header: ["images", "count", "classes", "least", "most", "mean", "deviation"],
      rows: report.splits.map { split in
        let counts = split.counts
        return [
          split.name, "\(split.count)", "\(counts.count { $0 > 0 })", "\(counts.min() ?? 0)", "\(counts.max() ?? 0)",
          rounded(split.normalization.mean), rounded(split.normalization.std),
        ]
      }, alignments: [.left, .right, .right, .right, .right])
  }

  private var classes: String {
    let shown = report.splits[0].counts.indices.prefix(Self.mostNamed)
    let rows = shown.map { label in
      ["\(label)", report.classNames.map { quoted($0[label]) } ?? ""] + report.splits.map { "\($0.counts[label])" }
    }
    let rest = report.splits[0].counts.count - shown.count
    return Table.text(
      header: ["class", "name"] + report.splits.map(\.name), rows: rows,
      alignments: [.right, .left] + report.splits.map { _ in .right })
      + (rest > 0 ? "\nand \(rest) more" : "")
  }

  private func line(_ group: DataReport.Duplicates) -> String {
    zip(group.splits, group.origins).prefix(4).map { "\($1) (\($0))" }.joined(separator: " = ")
      + (group.origins.count > 4 ? " and \(group.origins.count - 4) more" : "")
  }

  private func list(_ name: String, _ lines: [String], count: Int) -> String {
    guard count > 0 else { return "\(name): none" }
    let shown = lines.prefix(Self.mostNamed)
    return "\(name): \(count)\n" + shown.map { "  \($0)" }.joined(separator: "\n")
      + (count > shown.count ? "\n  and \(count - shown.count) more" : "")
  }

  /// A PNG: a training image a row, as it is measured, then as six epochs train on it.
  package func contactSheet() throws -> [UInt8] {
    let normalization = try Normalization.resolved(
      mean: configuration.data.mean, std: configuration.data.std, on: data.training)
    let transform = SampleTransform(
      shape: data.training.shape, normalization: normalization, augmentations: configuration.data.augment,
      seed: configuration.training.seed)
    let sheet = try ContactSheet.make(
      of: data.training, by: transform, count: 12, epochs: 6, seed: configuration.training.seed)
    guard let file = sheet.encodedAsPNG() else {
      throw FileError(path: "--pictures", reason: "the contact sheet does not fit into memory")
    }
    return file
  }
}
