import Files
import Formats
import Foundation
import Images

/// What becomes of pictures that cannot be read.
public enum BadFiles: String, CaseIterable, Sendable {
  case stop, skip
}

extension PictureIndex {
  /// How many bad files a message names at most.
  private static let mostNamed = 20

  /// Reads and decodes every picture of a listing once, on `threads` threads: so what is broken is known before a run,
  /// all of it, and what changes later is found by its checksum.
  package init(
    _ listing: PictureListing, path: String, badFiles: BadFiles, threads: Int, progress: ReadingProgress? = nil
  ) throws(FileError) {
    let items = listing.items
    let files = PictureFiles(containers: listing.containers, areArchives: listing.areArchives)
    var found = [Result<Entry, FileError>?](repeating: nil, count: items.count)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let found = found
      Parallel.run(items.count, threads: threads) { index in
        found[index] = Result { () throws(FileError) in try Self.entry(of: items[index], listing, files) }
        progress?.advance()
      }
    }
    var bad = listing.problems
    entries = []
    names = []
    entries.reserveCapacity(items.count)
    var counts = [0, 0, 0]
    let ends = [listing.training.count, listing.training.count + listing.validation.count]
    for (index, result) in found.enumerated() {
      switch result! {
      case .success(var entry):
        if !listing.areArchives {
          entry.place = UInt64(names.count)
          names += Array(items[index].name.utf8) + [0]
        }
        entries.append(entry)
        counts[index < ends[0] ? 0 : index < ends[1] ? 1 : 2] += 1
      case .failure(let error): bad.append(error.description)
      }
    }
    if badFiles == .stop, !bad.isEmpty {
      throw FileError(
        path: path,
        reason:
          "\(bad.count) \(bad.count == 1 ? "file" : "files") of \(items.count + listing.problems.count) cannot be used "
          + "(data.bad_files: skip leaves them out): " + Self.listed(bad))
    }
    guard !entries.isEmpty else { throw FileError(path: path, reason: "holds no picture that can be read") }
    head = Head(
      path: path, areArchives: listing.areArchives, containers: listing.containers, counts: counts,
      classNames: listing.classNames, classes: listing.classes, watched: listing.watched.map { Self.watched($0) },
      skipped: bad.count, skippedNames: Array(bad.prefix(Self.mostNamed)))
  }

  /// As many as a message holds that somebody reads.
  private static func listed(_ bad: [String]) -> String {
    var shown: [String] = []
    for item in bad.prefix(mostNamed) where shown.reduce(0, { $0 + $1.utf8.count }) < 2500 { shown.append(item) }
    let rest = bad.count - shown.count
    return shown.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more (icp data lists them)" : "")
  }

  private static func entry(
    of item: PictureListing.Item, _ listing: PictureListing, _ files: PictureFiles
  ) throws(FileError) -> Entry {
    let container = listing.containers[item.container]
    let bytes =
      listing.areArchives
      ? try files.contents(ofArchive: item.container, at: item.offset, count: item.size)
      : try PictureFiles.contents(of: "\(container)/\(item.name)")
    let name = listing.areArchives ? "\(container), \(quoted(item.name))" : visible("\(container)/\(item.name)")
    do throws(ImageError) {
      return try bytes.withBytes { (bytes) throws(ImageError) in
        let header = try ImageHeader(of: bytes)
        let picture = try Picture.decode(bytes, channels: header.channels)
        return Entry(
          place: UInt64(item.offset), size: UInt32(bytes.count), checksum: Checksum.crc32(bytes),
          label: Int32(item.label), container: UInt32(item.container), width: UInt16(picture.width),
          height: UInt16(picture.height),
          kind: (header.channels == 3 ? 1 : 0) | (header.format == .png ? 2 : 0) | UInt32(header.bits) << 8)
      }
    } catch { throw FileError(path: name, reason: error.reason) }
  }

  // MARK: Kept

  static func watched(_ path: String) -> Head.Watched {
    var status = stat()
    guard stat(path, &status) == 0 else { return Head.Watched(path: path, size: -1, time: 0) }
    let isFolder = status.st_mode & S_IFMT == S_IFDIR
    return Head.Watched(
      path: path, size: isFolder ? 0 : Int(status.st_size),
      time: Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec))
  }

  /// Whether nothing came or went where the pictures lie. A picture that was replaced is found when it is read.
  package var isCurrent: Bool { head.watched.allSatisfy { Self.watched($0.path) == $0 } }
}
