import Datasets
import Formats
import Foundation
import Images
import Loading
import Pictures
import TestSupport
import Testing

struct PictureSourceTests {
  @Test func `the same images in every format are the same data, sample by sample`() throws {
    let same = SameImages()
    let reference = try DataSplits.load(try same.binary().options)
    for (name, place) in try same.all() {
      let options = place.options
      let splits = try DataSplits.load(options)
      #expect(splits.training.count == 12 && splits.test!.count == 4, "\(name)")
      for (ours, theirs) in [(splits.training, reference.training), (splits.test!, reference.test!)] {
        #expect(ours.labels == theirs.labels, "\(name)")
        for index in 0..<ours.count { #expect(ours.pixels(index) == theirs.pixels(index), "\(name), \(index)") }
      }
      let normalization = try Normalization.computed(on: splits.training)
      let expected = try Normalization.computed(on: reference.training)
      #expect(normalization.mean == expected.mean && normalization.std == expected.std, "\(name)")
      #expect(splits.validation == nil)
    }
  }

  @Test(arguments: [1, 3])
  func `a batch has the same bits in every format, at any number of threads`(threads: Int) throws {
    let same = SameImages()
    let settings: [String: [Double]] = ["scale": [0.3, 1]]
    for augmentations in [
      [.padCrop, .flip], [Augmentation("random-resized-crop", settings)!, .flip, Augmentation("rand-augment")!],
      [Augmentation("color-jitter", ["brightness": [0.4], "hue": [0.1]])!, Augmentation("random-erasing")!, .padCrop],
    ] {
      var reference: [[Float]]?
      for (name, place) in try same.all() {
        var options = place.options
        options.keepsWholePictures = augmentations.contains(where: \.needsWholePicture)
        let training = try DataSplits.load(options).training
        let source = BatchSource(
          dataset: training, normalization: try Normalization.computed(on: training), augmentations: augmentations,
          seed: 3, shuffle: true, batchSize: 5, shards: 2, threads: name == "binary" ? 1 : threads)
        let loader = BatchLoader(source, shards: 0..<2)
        defer { loader.stop() }
        let images = try (0..<6).flatMap { _ in
          try loader.next().shards.map { shard in Array(shard.images.values.prefix(shard.count * 3072)) }
        }
        #expect(images == reference ?? images, "\(name), \(augmentations.map(\.name))")
        reference = reference ?? images
      }
    }
  }

  @Test func `a format is recognised, and two at once are refused with both`() throws {
    let same = SameImages()
    for (name, place) in try same.all() {
      let options = place.options
      #expect(try DataFormat.recognised(at: options.path!).format == options.format, "\(name)")
    }
    let both = try same.binary().path
    try Folder.writePNG(in: same.folder, "binary/cats/1.png", randomPicture(4, 4, seed: 0))
    let error = #expect(throws: DataError.self) { try DataFormat.recognised(at: both) }
    #expect(
      error?.reason == "holds CIFAR-10's binary files ('data.format: cifar10') and pictures (class folders) "
        + "('data.format: images'): say which in 'data.format'")
    let nothing = try Folder()
    try nothing.write("notes.txt", [65])
    #expect(throws: DataError.self) { try DataFormat.recognised(at: nothing.path) }
    let missing = #expect(throws: DataError.self) { try DataFormat.recognised(at: nothing.path + "/absent") }
    #expect(missing?.reason == "no such file or folder")
  }

  @Test func `test images alone are recognised and read as they are beside training images`() throws {
    let same = SameImages()
    let reference = try #require(try DataSplits.load(try same.binary().options).test)
    for (name, place) in try same.all() {
      switch name {
      case "list":
        let lines = try String(contentsOfFile: place.path, encoding: .utf8).split(separator: "\r\n")
        try lines.filter { !$0.hasSuffix(",train") }.joined(separator: "\r\n").write(
          toFile: place.path, atomically: true, encoding: .utf8)
      case "npz":
        let arrays = try same.npyPairs().path
        let test = try ["test_images.npy", "test_labels.npy"].map { array in
          (name: array, contents: [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(arrays)/\(array)"))))
        }
        try Data(zipArchive(test)).write(to: URL(fileURLWithPath: place.path))
      default:
        for file in try FileManager.default.contentsOfDirectory(atPath: place.path) where file.contains("train") {
          try FileManager.default.removeItem(atPath: "\(place.path)/\(file)")
        }
      }
      #expect(try DataFormat.recognised(at: place.path).format == place.options.format, "\(name)")
      let test = try DataSplits.loadTest(place.options)
      #expect(test.labels == reference.labels, "\(name)")
      for index in 0..<test.count { #expect(test.pixels(index) == reference.pixels(index), "\(name), \(index)") }
      #expect(try place.options.pictureIndexes(measuresTraining: false).count == (place.format == "images" ? 1 : 0))
      #expect(loadingError(place.options).contains("train"), "\(name): \(loadingError(place.options))")
    }
  }

  @Test func `copies of archives and arrays of two names are refused, and a picture in two splits`() throws {
    let same = SameImages()
    let shards = try same.shards()
    let first = "\(shards.path)/all-train-000.tar"
    for copy in ["all-train-000 (1).tar", "all-test-copy.tar"] {
      try FileManager.default.copyItem(atPath: first, toPath: "\(shards.path)/\(copy)")
      #expect(loadingError(shards.options).contains("holds the same bytes as"), "\(copy)")
      try FileManager.default.removeItem(atPath: "\(shards.path)/\(copy)")
    }
    let arrays = try same.npyPairs()
    for name in ["images", "labels"] {
      try FileManager.default.copyItem(
        atPath: "\(arrays.path)/train_\(name).npy", toPath: "\(arrays.path)/training_\(name).npy")
    }
    #expect(loadingError(arrays.options).hasSuffix("train_images and training_images, which are two data sets or one twice: keep those of one"))
    let list = try same.list()
    let text = try String(contentsOfFile: list.path, encoding: .utf8)
    try (text + "\r\nclass0,files/train0.png,test").write(toFile: list.path, atomically: true, encoding: .utf8)
    #expect(loadingError(list.options).hasSuffix("line 18: 'files/train0.png' is on line 2 too, for another split"))
  }

  @Test func `class folders beside a test folder are not classes of one set`() throws {
    let folder = try Folder()
    for name in ["cat/1.png", "dog/2.png", "test/cat/3.png"] {
      try folder.writePNG(name, randomPicture(8, 8, seed: name.utf8.count))
    }
    let options = DataOptions(format: .images, path: folder.path)
    #expect(loadingError(options).hasSuffix("holds 'test' beside 'cat': training images belong into train/"))
    // A class may be called so.
    try FileManager.default.removeItem(atPath: "\(folder.path)/test")
    try folder.writePNG("test/3.png", randomPicture(8, 8, seed: 9))
    #expect(try DataSplits.load(options).training.classNames == ["cat", "dog", "test"])
  }

  @Test func `all bad files are named in one message, or left out and counted`() throws {
    let folder = try Folder()
    for (index, name) in ["rgb-420.jpg", "grey-16.png", "bad-cut.jpg", "bad-text.jpg", "bad-huge.png"].enumerated() {
      try folder.makeFolder("cats")
      try folder.write("cats/\(index)-\(name)", try pictureFile(name))
    }
    try folder.makeFolder("dogs")
    try folder.write("dogs/empty.png", [])
    try folder.write("dogs/.hidden", [1])
    for index in 0..<2 { try folder.write("dogs/\(index).jpg", try pictureFile("cmyk.jpg")) }
    var options = DataOptions(format: .images, path: folder.path, size: 16)
    let message = loadingError(options)
    #expect(message.hasPrefix("\(folder.path): 4 files of 8 cannot be used (data.bad_files: skip leaves them out): "))
    for part in [
      "cats/2-bad-cut.jpg: JPEG is cut short", "cats/3-bad-text.jpg: is text, expected a JPEG or PNG picture",
      "cats/4-bad-huge.png: 1073741824 x 1073741824 pixels", "dogs/empty.png: is empty",
    ] { #expect(message.contains(part), "\(part) in \(message)") }

    options.badFiles = .skip
    let splits = try DataSplits.load(options)
    #expect(splits.training.labels == [0, 0, 1, 1])
    #expect(splits.training.classNames == ["cats", "dogs"])
    #expect(splits.training.shape == ImageShape(channels: 3, height: 16, width: 16))
    let index = try PictureIndex.at(folder.path, options)
    #expect(index.skipped == 4)
  }

  @Test func `a picture that was changed after it was indexed is named`() throws {
    let same = SameImages()
    let options = try same.folders().options
    let splits = try DataSplits.load(options)
    let file = splits.training.origin(of: 3)
    let other = randomPicture(32, 32, seed: 999).encodedAsPNG()!
    try Data(other).write(to: URL(fileURLWithPath: file))
    let error = #expect(throws: DataError.self) { try splits.training.withPixels(of: 3) { _ in } }
    #expect(
      error?.path == file && error?.reason.hasSuffix("the data was changed") == true, "\(String(describing: error))")

    // A batch that needs it fails too, in whichever thread.
    let source = BatchSource(
      dataset: splits.training, normalization: Normalization(mean: [0, 0, 0], std: [1, 1, 1]), augmentations: [],
      seed: 1, shuffle: false, batchSize: 2, shards: 1, threads: 2)
    let loader = BatchLoader(source, shards: 0..<1)
    defer { loader.stop() }
    _ = try loader.next()
    #expect(throws: DataError.self) { try loader.next() }
    #expect(throws: DataError.self) { try loader.next() }
  }

  @Test func `an index is kept, read again where nothing came or went, and encodes itself`() throws {
    let same = SameImages()
    for options in [try same.folders().options, try same.shards().options] {
      var options = options
      options.cache = "\(same.folder.path("cache"))"
      let first = try PictureIndex.at(options.path!, options)
      let bytes = first.encoded
      #expect(bytes.withUnsafeBytes { PictureIndex(encoded: $0) } == first)
      for damaged in [bytes.count / 2, bytes.count - 1, 40] {
        var wrong = bytes
        wrong[damaged] ^= 1
        #expect(wrong.withUnsafeBytes { PictureIndex(encoded: $0) } == nil)
        #expect(bytes[..<damaged].withUnsafeBytes { PictureIndex(encoded: $0) } == nil)
      }
      #expect(try PictureIndex.at(options.path!, options) == first)
    }
    var options = try same.folders().options
    options.cache = "\(same.folder.path("cache"))"
    try Folder.writePNG(in: same.folder, "folders/train/class1/999.png", randomPicture(32, 32, seed: 7))
    #expect(try DataSplits.load(options).training.count == 13)
  }

  @Test(arguments: [false, true])
  func `decoded pictures are kept, checked, and the same`(keepsWhole: Bool) throws {
    let folder = try Folder()
    for index in 0..<6 {
      try folder.writePNG("set/\(index % 2)/\(index).png", randomPicture(20 + index, 30 - index, seed: index))
    }
    var options = DataOptions(format: .images, path: "\(folder.path)/set", size: 16)
    options.keepsWholePictures = keepsWhole
    let plain = try DataSplits.load(options).training
    let expected = (0..<6).map { plain.pixels($0) }
    options.cache = "\(folder.path)/cache"
    let filling = try DataSplits.load(options).training
    #expect((0..<6).map { filling.pixels($0) } == expected)
    // The files may be gone now.
    for index in 0..<6 { try FileManager.default.removeItem(atPath: filling.origin(of: index)) }
    #expect((0..<6).map { filling.pixels($0) } == expected)

    // What was damaged is decoded again, so missed.
    let names = try FileManager.default.contentsOfDirectory(atPath: options.cache!)
    let path = "\(options.cache!)/\(names.first { $0.hasPrefix("pixels") }!)"
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    options.indexes = [options.path!: try index(in: options.cache!)!]
    let again = try DataSplits.load(options).training
    #expect((0..<5).map { again.pixels($0) } == Array(expected[..<5]))
    #expect(throws: DataError.self) { try again.withPixels(of: 5) { _ in } }
  }

  private func index(in folder: String) throws -> PictureIndex? {
    let name = try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasPrefix("index") }!
    return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")).withUnsafeBytes { PictureIndex(encoded: $0) }
  }

  @Test func `a test set is held out of each class, and stays where pictures come in`() throws {
    let folder = try Folder()
    for index in 0..<40 { try folder.writePNG("\(index % 2)/\(index).png", randomPicture(4, 4, seed: index)) }
    var options = DataOptions(format: .images, path: folder.path)
    options.testFraction = 0.25
    let first = try DataSplits.load(options)
    #expect(first.training.count == 30 && first.test!.labels.count { $0 == 1 } == 5)
    options.seed = 9
    let second = try DataSplits.load(options)
    func files(_ set: Dataset) -> Set<String> { Set((0..<set.count).map(set.origin)) }
    #expect(files(second.test!) == files(first.test!))
    for index in 40..<48 { try folder.writePNG("\(index % 2)/\(index).png", randomPicture(4, 4, seed: index)) }
    let third = try DataSplits.load(options)
    #expect(third.test!.count == 12)
    // One of four new files of a class displaces at most as many as are new.
    #expect(files(third.test!).intersection(files(first.test!)).count >= 4)
  }

  @Test func `other places give validation and test, with the classes' names`() throws {
    let folder = try Folder()
    for index in 0..<6 {
      try folder.writePNG("a/\(["cat", "dog", "emu"][index % 3])/\(index).png", randomPicture(8, 8, seed: index))
    }
    for index in 0..<2 {
      try folder.writePNG("b/\(["dog", "emu"][index])/\(index).png", randomPicture(12, 9, seed: 50 + index))
    }
    var options = DataOptions(format: .images, path: "\(folder.path)/a")
    #expect(try DataSplits.load(options).test == nil)
    options.testPath = "\(folder.path)/b"
    options.validationPath = "\(folder.path)/b"
    let splits = try DataSplits.load(options)
    #expect(splits.test!.labels == [1, 2] && splits.validation!.labels == [1, 2])
    #expect(splits.test!.shape == splits.training.shape && splits.test!.classes == 3)
    try folder.writePNG("b/yak/9.png", randomPicture(8, 8, seed: 1))
    #expect(
      loadingError(options).hasSuffix(
        "class 'yak' is none of the training images, which are 'cat', 'dog', 'emu'"))
  }

  @Test func `more than 256 classes`() throws {
    let folder = try Folder()
    let pixels = randomBytes(700 * 4, seed: 1)
    let numbers: [Int] = (0..<700).map { 3 * $0 }
    let labels = numbers.flatMap { (number: Int) -> [UInt8] in [UInt8(number & 255), UInt8(number >> 8)] }
    try folder.write("train_images.npy", npy([700, 2, 2], "|u1", pixels))
    try folder.write("train_labels.npy", npy([700], "<i2", labels))
    let training = try DataSplits.load(DataOptions(format: .npy, path: folder.path)).training
    #expect(training.classes == 2098 && training.labels == numbers)
    #expect(training.shape == ImageShape(channels: 1, height: 2, width: 2))
  }

  @Test func `what is wrong with folders, shards and lists is said by name`() throws {
    let folder = try Folder()
    func error(_ path: String) -> String {
      loadingError(DataOptions(format: .images, path: "\(folder.path)/\(path)")).replacing(folder.path + "/", with: "")
    }
    let png = randomPicture(4, 4, seed: 1).encodedAsPNG()!
    try folder.makeFolder("tars")
    try folder.write("tars/a.tar", tar([("1.png", png), ("1.cls", Array("x".utf8))]))
    #expect(error("tars") == "tars/a.tar: '1.cls' holds no label, expected a number from 0 to 16777215")
    try folder.write("tars/a.tar", tar([("1.png", png), ("1.cls", Array("0".utf8)), ("2.png", png), ("3.cls", [48])]))
    #expect(
      error("tars").hasSuffix("tars/a.tar, '2': has no .cls; tars/a.tar, '3': has no picture"), "\(error("tars"))")
    try folder.write("tars/a.tar", Array(tar([("1.png", png)])[..<600]))
    #expect(error("tars") == "tars/a.tar: is cut short: a member of \(png.count) bytes at byte 0 of 600")
    #expect(error("tars/train-{0..x}.tar").contains("expected a range of numbers in braces"))

    try folder.write("list.csv", Array("a.png,0\nb.png\n".utf8))
    #expect(error("list.csv") == "list.csv: line 2: 1 field, expected a path and a label")
    try folder.write("list.csv", Array("path,label,split\na.png,0,tst\n".utf8))
    #expect(error("list.csv") == "list.csv: line 2: split 'tst', expected train, val or test")

    for part in ["train", "val"] { try folder.makeFolder("set/\(part)/cat") }
    try folder.writePNG("set/val/dog/1.png", randomPicture(4, 4, seed: 2))
    try folder.writePNG("set/train/cat/1.png", randomPicture(4, 4, seed: 2))
    #expect(error("set") == "set/val/dog: is no class of the training images, which are 'cat'")
    try FileManager.default.removeItem(atPath: "\(folder.path)/set/val/dog")
    try folder.writePNG("set/train/cat/2.png", randomPicture(5, 4, seed: 2))
    #expect(error("set") == "set: pictures of several sizes, such as 4 x 4 and 5 x 4: set data.size")
  }

  @Test func `the network's view is Pillow's: the shorter side, then the middle, squashed only if asked for`() throws {
    let folder = try Folder()
    let picture = randomPicture(40, 24, seed: 1)
    for index in 0..<2 { try folder.writePNG("\(index)/1.png", picture) }
    var options = DataOptions(format: .images, path: folder.path, size: 16)
    func first() throws -> [UInt8] { try DataSplits.load(options).training.pixels(0) }
    func planes(_ picture: Picture) -> [UInt8] {
      var planes: [UInt8] = []
      for channel in 0..<3 { planes += stride(from: channel, to: 768, by: 3).map { picture.pixels[$0] } }
      return planes
    }
    #expect(try first() == planes(picture.resized(shorterSide: 16).centreCropped(width: 16, height: 16)))
    options.evaluation.resize = 20
    #expect(try first() == planes(picture.resized(shorterSide: 20).centreCropped(width: 16, height: 16)))
    options.evaluation.crop = .none
    #expect(try first() == planes(picture.resized(width: 16, height: 16)))
  }
}
