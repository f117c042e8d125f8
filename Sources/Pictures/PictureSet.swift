import Files
import Formats
import Images
import Runtime

/// Pictures that are read and decoded when they are asked for, from any thread, or taken from what was kept of them.
package final class PictureSet: Sendable {
  package let index: PictureIndex
  package let view: PictureView
  private let files: PictureFiles
  private let cache: DecodedCache?
  /// Whether pictures are kept as decoded, for random crops; else as the network's view of them.
  private let keepsWhole: Bool
  package let threads: Int

  /// Throws where the cache cannot be made.
  package init(
    _ index: PictureIndex, view: PictureView, cacheFolder: String?, keepsWhole: Bool, threads: Int
  ) throws(FileError) {
    self.threads = threads
    self.index = index
    self.view = view
    self.keepsWhole = keepsWhole
    files = PictureFiles(containers: index.head.containers, areArchives: index.head.areArchives)
    let channels = view.shape.channels
    cache = try cacheFolder.map { (folder) throws(FileError) in
      let identity = [index.identity, Checksum.crc32(Array((keepsWhole ? "whole \(channels)" : view.text).utf8))]
      return try DecodedCache(
        folder: folder, identity: identity,
        sizes: keepsWhole
          ? index.entries.map { Int($0.width) * Int($0.height) * channels }
          : [Int](repeating: view.shape.count, count: index.count))
    }
  }

  /// The picture as it was made, of any size.
  package func whole(_ number: Int) throws(FileError) -> Picture {
    guard keepsWhole else { return try decoded(number) }
    let entry = index.entries[number]
    return try kept(number, width: Int(entry.width), height: Int(entry.height)) { () throws(FileError) in
      try decoded(number)
    }
  }

  /// The picture as the network sees it where nothing is changed at random.
  package func viewed(_ number: Int) throws(FileError) -> Picture {
    if keepsWhole { return view.apply(try whole(number)) }
    return try kept(number, width: view.shape.width, height: view.shape.height) { () throws(FileError) in
      view.apply(try decoded(number))
    }
  }

  private func kept(
    _ number: Int, width: Int, height: Int, _ make: () throws(FileError) -> Picture
  ) throws(FileError) -> Picture {
    if let pixels = cache?.pixels(number) {
      return Picture(width: width, height: height, channels: view.shape.channels, pixels: pixels)
    }
    let picture = try make()
    cache?.keep(picture.pixels, of: number)
    return picture
  }

  /// From its file, which must be what it was.
  func decoded(_ number: Int) throws(FileError) -> Picture {
    let entry = index.entries[number]
    let bytes = try contents(number)
    guard bytes.count == Int(entry.size) else {
      throw changed(number, "holds \(counted(bytes.count, "byte")), but \(entry.size) when it was indexed")
    }
    let sum = Checksum.crc32(bytes)
    guard sum == entry.checksum else {
      throw changed(
        number,
        "has the checksum \(Checksum.hexadecimal(sum)), but \(Checksum.hexadecimal(entry.checksum)) when it was indexed"
      )
    }
    do throws(ImageError) {
      return try bytes.withBytes { (bytes) throws(ImageError) in
        try Picture.decode(bytes, channels: view.shape.channels)
      }
    } catch { throw FileError(path: origin(number), reason: error.reason) }
  }

  private func contents(_ number: Int) throws(FileError) -> [UInt8] {
    let entry = index.entries[number]
    return index.head.areArchives
      ? try files.contents(ofArchive: Int(entry.container), at: Int(entry.place), count: Int(entry.size))
      : try PictureFiles.contents(of: index.file(entry))
  }

  private func changed(_ number: Int, _ what: String) -> FileError {
    FileError(path: origin(number), reason: "\(what): the data was changed")
  }

  /// The file, or the archive and the member's name as its header has it.
  package func origin(_ number: Int) -> String {
    let entry = index.entries[number]
    guard index.head.areArchives else { return visible(index.file(entry)) }
    let header = try? files.contents(ofArchive: Int(entry.container), at: Int(entry.place) - 512, count: 512)
    let name = header.map { quoted($0.withUnsafeBytes { TarFile.name($0) }) } ?? "byte \(entry.place)"
    return "\(index.head.containers[Int(entry.container)]), \(name)"
  }
}
