import Datasets

/// A picture's file as it stands, in a folder of a class beside another picture.
struct PictureInput {
  /// The smallest PNG: one grey pixel.
  private static let pixel: [UInt8] = [
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 58, 126,
    155, 85, 0, 0, 0, 10, 73, 68, 65, 84, 120, 218, 99, 96, 0, 0, 0, 2, 0, 1, 229, 39, 222, 252, 0, 0, 0, 0, 73,
    69, 78, 68, 174, 66, 96, 130,
  ]
  private let folder: Scratch

  init(_ input: [UInt8], in folder: Scratch) {
    self.folder = folder
    folder.makeFolder("pictures/a")
    folder.makeFolder("pictures/b")
    folder.write("pictures/a/1.jpg", input)
    folder.write("pictures/b/1.png", Self.pixel)
  }

  func read() throws {
    try readAll(DataOptions(format: .images, path: folder.path("pictures"), size: 4))
  }
}

/// A tar archive as it stands.
struct TarInput {
  private let path: String

  init(_ input: [UInt8], in folder: Scratch) { path = folder.write("pictures.tar", input) }

  func read() throws { try readAll(DataOptions(format: .images, path: path, size: 4)) }
}

/// An .npz archive as it stands.
struct ArchiveInput {
  private let path: String

  init(_ input: [UInt8], in folder: Scratch) { path = folder.write("arrays.npz", input) }

  func read() throws { try readAll(DataOptions(format: .npz, path: path)) }
}
