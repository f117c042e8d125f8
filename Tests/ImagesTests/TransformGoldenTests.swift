import Testing

import Images

/// Each transform with given parameters beside Pillow's and torchvision's pixels. What Pillow computes in integers or
/// in the same floats must be the same bits; the tolerance, where there is one, has its reason beside it.
struct TransformGoldenTests {
  /// Calls `result` with each case's source and parameters, and compares.
  private func compare(
    _ prefix: String, tolerance: Int = 0, at least: Int, _ result: (Picture, [Substring]) throws -> Picture
  ) throws {
    let cases = PictureFixtures.cases(prefix)
    #expect(cases.count >= least, "\(cases.count) cases")
    for (parameters, kind, name) in cases {
      let ours = try result(try PictureFixtures.picture("source.\(kind)"), parameters)
      let distance = ours.distance(to: try PictureFixtures.picture(name))
      #expect(distance.map { $0 <= tolerance } == true, "\(name): \(distance.map(String.init) ?? "another size")")
    }
  }

  @Test func `resizing is Pillow's, to the bit`() throws {
    try compare("resize", at: 14) { picture, parameters in
      let sides = parameters[0].split(separator: "x").map { Int($0)! }
      return picture.resized(width: sides[0], height: sides[1])
    }
  }

  @Test func `a crop resized is torchvision's, to the bit`() throws {
    try compare("crop", at: 8) { picture, parameters in
      let box = parameters.map { Int($0)! }
      return picture.resized(
        width: 16, height: 16, from: PixelBox(x: box[0], y: box[1], width: box[2], height: box[3]))
    }
  }

  @Test func `the shorter side and a centre crop are torchvision's, to the bit`() throws {
    try compare("evaluation", at: 8) { picture, parameters in
      let (shorter, crop) = (Int(parameters[0])!, Int(parameters[1])!)
      return picture.resized(shorterSide: shorter).centreCropped(width: crop, height: crop)
    }
  }

  @Test func `RandAugment's operations are torchvision's, to the bit`() throws {
    try compare("augment", at: 150) { picture, parameters in
      let operation = RandAugment.Operation.allCases[Int(parameters[0])!]
      let magnitude = operation.magnitude(
        Int(parameters[1])!, size: PixelSize(width: picture.width, height: picture.height))
      return picture.applying(operation, parameters[2] == "-" ? -magnitude : magnitude)
    }
  }

  @Test func `colour jitter's changes are torchvision's, to the bit`() throws {
    try compare("jitter", at: 20) { picture, parameters in
      let change = ColorJitter.Change.allCases.first { "\($0)" == parameters[0] }!
      return picture.changed(change, by: Double(parameters.dropFirst().joined(separator: "."))!)
    }
  }
}
